/**
 * Commands in a container, as `kubectl exec` runs them. Channels: 0 standard input, 1 stdout, 2 stderr, 3 the status at the end, 255 the
 * end of a channel, which v5.channel.k8s.io brought (Kubernetes 1.30) and without which standard input never ends.
 */
import { once } from "node:events";
import type { WebSocket } from "ws";
import { statusOf } from "./api-errors.ts";
import { frame, openChannel } from "./channel.ts";
import { ConformanceError, InconclusiveError } from "./errors.ts";
import type { KubernetesClient } from "./kubernetes.ts";

export type ExecTarget = {
  namespace: string;
  pod: string;
  container: string;
  command: readonly string[];
  /** For the whole of it, from the handshake to the exit code. */
  timeoutMs: number;
};
export type ExecResult = { exitCode: number; stdout: string; stderr: string };

const [stdinChannel, stdoutChannel, stderrChannel, statusChannel, closeChannel] = [0, 1, 2, 3, 255] as const;

/**
 * Runs a command to its end. An exit code other than 0 is a result like any other.
 * @throws ConformanceError when the cluster cannot run it or loses its end, InconclusiveError when we cannot ask
 */
export async function exec(client: KubernetesClient, { stdin, ...target }: ExecTarget & { stdin?: string }): Promise<ExecResult> {
  const session = await open(client, target, { stdin: stdin !== undefined, tty: false });
  if (stdin !== undefined) {
    session.send(frame(stdinChannel, stdin));
    session.send(Buffer.from([closeChannel, stdinChannel]));
  }
  const exitCode = await session.exitCode;
  return { exitCode, stdout: session.output(stdoutChannel), stderr: session.output(stderrChannel) };
}

export type Shell = {
  write(text: string): void;
  /** Waits until what the shell has said since the last match matches, and returns the match. The terminal echoes what is written to it. */
  expectOutput(pattern: RegExp, timeoutMs: number): Promise<string>;
  exitCode: Promise<number>;
  /** Leaves the shell as it is; the command ends with its terminal. */
  close(): void;
};

/** An interactive command with a terminal, as `kubectl exec -ti`. Its timeoutMs is for the whole conversation. */
export async function openShell(client: KubernetesClient, target: ExecTarget): Promise<Shell> {
  const { what, socket, send, output, exitCode } = await open(client, target, { stdin: true, tty: true });
  let heard = 0;
  return {
    write: (text) => send(frame(stdinChannel, text)),
    expectOutput: async (pattern, timeoutMs) => {
      const deadline = AbortSignal.timeout(timeoutMs);
      for (;;) {
        const said = output(stdoutChannel).slice(heard);
        const match = pattern.exec(said);
        if (match !== null) {
          heard += match.index + match[0].length;
          return match[0];
        }
        const isOver = socket.readyState !== socket.OPEN;
        if (deadline.aborted || isOver) {
          // A command that could not be run has said so by the way in which it ended.
          const when = isOver ? `before it exited with ${await exitCode}` : `within ${timeoutMs / 1000} s`;
          throw new ConformanceError(`${what}: the terminal did not show ${pattern} ${when}; it showed ${JSON.stringify(said)}`);
        }
        await next(socket, deadline);
      }
    },
    exitCode,
    close: () => socket.terminate(),
  };
}

/** Until the socket brings something or closes, or the deadline. */
async function next(socket: WebSocket, deadline: AbortSignal): Promise<void> {
  const either = new AbortController();
  const signal = AbortSignal.any([deadline, either.signal]);
  await Promise.race([once(socket, "message", { signal }), once(socket, "close", { signal })]).catch(() => undefined);
  either.abort();
}

/** The protocol in which the end of a stream can be told. */
const endsInput = "v5.channel.k8s.io";

type Session = {
  what: string;
  socket: WebSocket;
  send: (data: Buffer) => void;
  output: (channel: number) => string;
  exitCode: Promise<number>;
};

async function open(client: KubernetesClient, target: ExecTarget, { stdin, tty }: { stdin: boolean; tty: boolean }): Promise<Session> {
  const { namespace, pod, container, command, timeoutMs } = target;
  const began = Date.now();
  const what = `exec of "${command.join(" ")}" in container ${container} of pod ${namespace}/${pod}`;
  const streams = { stdout: true, stderr: !tty, stdin, tty };
  const received = new Map<number, Buffer[]>();
  const output = (channel: number) => Buffer.concat(received.get(channel) ?? []).toString("utf8");
  const socket = await openChannel(client, {
    what,
    path: `/api/v1/namespaces/${namespace}/pods/${pod}/exec`,
    query: [
      ["container", container],
      ...Object.entries(streams).map(([name, value]): [string, string] => [name, String(value)]),
      ...command.map((word): [string, string] => ["command", word]),
    ],
    protocols: [endsInput, "v4.channel.k8s.io"],
    timeoutMs,
    onFrame: (channel, content) => {
      const chunks = received.get(channel);
      if (chunks === undefined) received.set(channel, [content]);
      else chunks.push(content);
    },
  });
  // A terminal ends its input by a character; a pipe needs the newer protocol for it.
  if (stdin && !tty && socket.protocol !== endsInput) {
    socket.terminate();
    throw new InconclusiveError(
      `${what}: the API server speaks ${socket.protocol}, in which the end of standard input cannot be told; ${endsInput} came with Kubernetes 1.30.`,
    );
  }
  const exitCode = ended(socket, { what, deadline: began + timeoutMs, timeoutMs, output });
  // Whoever does not wait for the end has been told of the failure otherwise.
  exitCode.catch(() => undefined);
  // What cannot be sent shows by the socket's close.
  return { what, socket, send: (data) => socket.send(data, () => undefined), output, exitCode };
}

type Ending = { what: string; deadline: number; timeoutMs: number; output: Session["output"] };

/** The server sends the status last, and closes the connection. */
async function ended(socket: WebSocket, { what, deadline, timeoutMs, output }: Ending): Promise<number> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    socket.terminate();
  }, deadline - Date.now());
  if (socket.readyState !== socket.CLOSED) await new Promise<void>((resolve) => socket.once("close", () => resolve()));
  clearTimeout(timer);
  const status = output(statusChannel);
  if (status !== "") return exitCodeOf(what, status);
  const problem = late
    ? `it began, and did not end within ${timeoutMs / 1000} s`
    : "the connection ended without a status, so its exit code is lost";
  throw new ConformanceError(
    `${what}: ${problem}; stdout was ${JSON.stringify(output(stdoutChannel))}, stderr ${JSON.stringify(output(stderrChannel))}`,
  );
}

/** A Status without failure is exit code 0; the code of another is the cause ExitCode of a NonZeroExitCode. */
function exitCodeOf(what: string, text: string): number {
  const { status, reason, message = text, details } = statusOf(text);
  if (status === "Success") return 0;
  const code = details?.causes?.find((cause) => cause.reason === "ExitCode")?.message;
  if (reason === "NonZeroExitCode" && code !== undefined) return Number(code);
  throw new ConformanceError(`${what}: could not be run: ${message}`);
}
