/**
 * Several commands in one SSH round trip, each with its own exit code and output.
 */
import { InconclusiveError } from "./errors.ts";
import { shellQuote } from "./remote-command.ts";
import { asRoot, requireSuccess, type Host } from "./ssh.ts";

/** What a command said. Its diagnostics are not kept apart from those of the others. */
export type Evidence = { exitCode: number; stdout: string };

/**
 * Runs commands one after the other, as root.
 * @param commands command lines for `sh`, by names of our own
 * @param prelude sets the variables and functions that the commands share
 * @throws InconclusiveError when the script as a whole does not answer; that a single command fails is evidence
 */
export async function collectEvidence<Name extends string>(
  host: Host,
  commands: Record<Name, string>,
  prelude = "",
): Promise<Record<Name, Evidence>> {
  const script = evidenceScript(commands, prelude);
  const { stdout, stderr } = requireSuccess(host, script, await asRoot(host, script));
  const found = parseEvidence(stdout.toString("utf8"));
  const missing = Object.keys(commands).filter((name) => found[name] === undefined);
  if (missing.length === 0) return found;
  throw new InconclusiveError(
    `${host.name}: a script that answers for ${missing.join(", ")} did not: ${stderr.trim() || "it said nothing"}.`,
  );
}

/** One line for each command: its name, its exit code, and its output in base64, which keeps lines and shells apart. */
function evidenceScript(commands: Readonly<Record<string, string>>, prelude = ""): string {
  const lines = Object.entries(commands).map(
    ([name, command]) =>
      `output=$(${command}\n); code=$?; printf '%s %s %s\\n' ${shellQuote(name)} "$code" "$(printf '%s\\n' "$output" | base64 | tr -d '\\n')"`,
  );
  return [prelude, ...lines, "exit 0"].join("\n");
}

/** Reads what such a script has printed; whatever else a login printed is passed over. */
function parseEvidence(text: string): Record<string, Evidence> {
  const entries = text.matchAll(/^(\S+) (\d+) ([A-Za-z0-9+/=]*)$/gm);
  return Object.fromEntries(
    [...entries].map(([, name = "", exitCode, base64 = ""]) => [
      name,
      { exitCode: Number(exitCode), stdout: Buffer.from(base64, "base64").toString("utf8") },
    ]),
  );
}
