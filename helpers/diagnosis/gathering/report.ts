/**
 * The evidence as files, for whoever wants to read on: one of the API, one a host, and one of the objects of each check. Each begins with
 * whose it is, and those of earlier runs are removed when a run begins its own.
 */
import { mkdir, open, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { redact } from "../../redaction/redact.ts";
import type { Run } from "../../run.ts";
import type { APIEvidence, Evidence, HostEvidence } from "../model.ts";

type Whose = Pick<Run, "id" | "namespace">;

/** The first line of a file, behind a comment sign where it is YAML. */
const heading = ({ id, namespace }: Whose): string => `Run ${id}, namespace ${namespace}, ${new Date().toISOString()}`;
const headingOfAny = /^(?:# )?Run (?<id>[0-9a-f]{8}), namespace /;

/** Removes from a folder what earlier runs have written there, and no other file. The folder need not be there. */
export async function removeEarlierEvidence(folder: string, { id }: Whose): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile() && /\.(?:txt|yaml)$/.test(entry.name)).map(({ name }) => join(folder, name));
  const removing = files.map(async (file) => {
    const writer = headingOfAny.exec(await beginningOf(file))?.groups?.["id"];
    if (writer !== undefined && writer !== id) await rm(file);
  });
  await Promise.all(removing);
}

/** The folder may be anybody's, and its files of any size. */
async function beginningOf(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(64), 0, 64, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Writes `api.txt` and a file for each host into a folder, which is created where it is not there. */
export async function writeEvidence(folder: string, run: Whose, { api, hosts }: Evidence): Promise<void> {
  await mkdir(folder, { recursive: true });
  const texts = { api: apiText(api), ...Object.fromEntries(Object.entries(hosts).map(([name, host]) => [name, hostText(host)])) };
  const writing = Object.entries(texts).map(([name, text]) =>
    writeFile(join(folder, evidenceFile(name)), redact(`${heading(run)}\n\n${text}`)),
  );
  await Promise.all(writing);
}

/** Writes the objects of a check into the same folder. */
export async function writeObjects(folder: string, run: Whose, { check, text }: { check: string; text: string }): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, objectsFile(check)), redact(`# ${heading(run)}, what ${check} looks at\n${text}`));
}

/** The file of the objects of a check. */
export const objectsFile = (check: string): string => `${check}.yaml`;

/** The file of a host, or of the API. The name comes out of the settings or the API, and need not be that of a file. */
export const evidenceFile = (name: string): string => `${name.replaceAll(/[^\w.-]/g, "_").replace(/^\.+/, "_")}.txt`;

function hostText(host: HostEvidence): string {
  if ("unreachable" in host) return `It could not be asked: ${host.unreachable}\n`;
  return Object.entries(host.sections)
    .filter(([, text]) => text !== "")
    .map(([name, text]) => `## ${name}\n${text}\n`)
    .join("\n");
}

function apiText({ readyz, unanswered, ...rest }: APIEvidence): string {
  const parts = Object.entries({ unanswered, ...rest }).map(([name, value]) => {
    const lines = Array.isArray(value) ? value.map((entry: unknown) => JSON.stringify(entry)).join("\n") : JSON.stringify(value);
    return `## ${name}\n${lines}\n`;
  });
  return [...parts, `## readyz\n${readyz}\n`].join("\n");
}
