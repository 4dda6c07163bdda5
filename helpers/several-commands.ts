/**
 * Several commands in one SSH round trip, each with its own exit code and output.
 */
import { InconclusiveError } from "./errors.ts";
import { shellQuote } from "./remote-command.ts";
import { asRoot, requireSuccess, type Host } from "./ssh.ts";

/** What a command said. Its diagnostics are not kept apart from those of the others. */
export type Answer = { exitCode: number; stdout: string };

/**
 * Runs commands one after the other, as root.
 * @param commands command lines for `sh`, by names of our own
 * @param prelude sets the variables and functions that the commands share
 * @throws InconclusiveError when the script as a whole does not answer; that a single command fails is an answer
 */
export async function collectAnswers<Name extends string>(
  host: Host,
  commands: Record<Name, string>,
  prelude = "",
): Promise<Record<Name, Answer>> {
  const script = scriptOf(commands, prelude);
  const { stdout, stderr } = requireSuccess(host, script, await asRoot(host, script));
  const found = parseAnswers(stdout.toString("utf8"));
  const missing = Object.keys(commands).filter((name) => found[name] === undefined);
  if (missing.length === 0) return found;
  throw new InconclusiveError(
    `${host.name}: a script that answers for ${missing.join(", ")} did not: ${stderr.trim() || "it said nothing"}.`,
  );
}

type Patience = {
  /** Runs once, in front of all commands. What it exports, they know. */
  prelude: string;
  /** Functions that the commands share. */
  functions: string;
  secondsEach: number;
  /** For all of them. */
  timeoutMs: number;
};

/**
 * The same for commands of which none may cost the answers of the others: each is ended when its own time is over, and each answer is
 * handed over as it comes, so that it is there when the rest does not come.
 * @param hear gets the answer to a command; undefined where its time was over
 * @throws InconclusiveError when the script as a whole does not answer
 */
export async function hearAnswers(
  host: Host,
  commands: Readonly<Record<string, string>>,
  { prelude, functions, secondsEach, timeoutMs }: Patience,
  hear: (name: string, answer: Answer | undefined) => void,
): Promise<void> {
  const bounded = Object.entries(commands).map(([name, command]): [string, string] => [
    name,
    `timeout -k 1 ${secondsEach} sh -c ${shellQuote(`${functions}\n${command}`)}`,
  ]);
  const script = scriptOf(Object.fromEntries(bounded), prelude);
  let begun = "";
  const onStdout = (chunk: Buffer) => {
    const lines = `${begun}${chunk.toString("utf8")}`.split("\n");
    begun = lines.pop() ?? "";
    for (const [name, answer] of Object.entries(parseAnswers(lines.join("\n")))) {
      hear(name, isEnded(answer) ? undefined : answer);
    }
  };
  requireSuccess(host, script, await asRoot(host, script, { timeoutMs, onStdout }));
}

/** What `timeout` exits with when the time was over, and when the command had to be killed. */
const isEnded = ({ exitCode }: Answer): boolean => exitCode === 124 || exitCode === 137;

/** One line for each command: its name, its exit code, and its output in base64, which keeps lines and shells apart. */
function scriptOf(commands: Readonly<Record<string, string>>, prelude = ""): string {
  const lines = Object.entries(commands).map(
    ([name, command]) =>
      `output=$(${command}\n); code=$?; printf '%s %s %s\\n' ${shellQuote(name)} "$code" "$(printf '%s\\n' "$output" | base64 | tr -d '\\n')"`,
  );
  return [prelude, ...lines, "exit 0"].join("\n");
}

/** Reads what such a script has printed; whatever else a login printed is passed over. */
function parseAnswers(text: string): Record<string, Answer> {
  const entries = text.matchAll(/^(\S+) (\d+) ([A-Za-z0-9+/=]*)$/gm);
  return Object.fromEntries(
    [...entries].map(([, name = "", exitCode, base64 = ""]) => [
      name,
      { exitCode: Number(exitCode), stdout: Buffer.from(base64, "base64").toString("utf8") },
    ]),
  );
}
