/**
 * One command on an open SSH connection: its channel, and what comes back through it.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Client, ClientChannel } from "ssh2";
import { reasonOf } from "./errors.ts";

/** sshd refuses a session too many with reason 2 or 4; one that has just ended may still count, so it is asked again. */
export async function openChannel(client: Client, command: string): Promise<ClientChannel> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await new Promise((resolve, reject) => {
        client.exec(command, (error, channel) => (error === undefined ? resolve(channel) : reject(error)));
      });
    } catch (error) {
      if (!isRefusedSession(error) || attempt === 4) throw error;
      await sleep(50 * attempt);
    }
  }
}

const isRefusedSession = (error: unknown): boolean => [2, 4].includes((error as { reason?: number }).reason ?? 0);

/** Why there was no channel, and what to do. */
export function sessionRefusal(error: unknown): string {
  if (!isRefusedSession(error)) return `${reasonOf(error)}.`;
  return `sshd refused another session on this connection (${reasonOf(error)}). Is MaxSessions in sshd_config below 10, its default?`;
}

type Ending = { isSilent: boolean; exitCode?: number; signalName?: string; stdout: Buffer; stderr: string };
type Collecting = { onStdout: ((chunk: Buffer) => void) | undefined; timeoutMs: number };

/** Reads a channel to its end, or until we stop waiting. A channel that closes without exit code and signal says that there was none. */
export function collect(channel: ClientChannel, { onStdout, timeoutMs }: Collecting): Promise<Ending> {
  return new Promise((resolve) => {
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const end = (isSilent: boolean, code?: number | null, signalName?: string) => {
      clearTimeout(timer);
      if (isSilent) channel.close();
      const bare = signalName?.replace(/^SIG/, "");
      const status = { ...(typeof code === "number" && { exitCode: code }), ...(bare !== undefined && { signalName: bare }) };
      resolve({ isSilent, ...status, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString("utf8") });
    };
    const timer = setTimeout(() => end(true), timeoutMs);
    channel.on("data", (chunk: Buffer) => {
      stdout.push(chunk);
      onStdout?.(chunk);
    });
    channel.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    // A command may have ended before its input is closed; its exit status tells how it went.
    channel.on("error", () => undefined);
    channel.on("close", (code: number | null | undefined, signalName?: string) => end(false, code, signalName));
    channel.end();
  });
}
