/**
 * The evidence as files, for whoever wants to read on: one of the API, one a host. Each run writes over those of the run before.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { APIEvidence, Evidence, HostEvidence } from "../model.ts";
import { redact } from "../../redaction/redact.ts";

/** Writes `api.txt` and a file for each host into a folder, which is created where it is not there. */
export async function writeEvidence(folder: string, runID: string, { given, api, hosts }: Evidence): Promise<void> {
  await mkdir(folder, { recursive: true });
  const heading = `Run ${runID}, namespace ${given.namespace}, ${new Date().toISOString()}`;
  const texts = { api: apiText(api), ...Object.fromEntries(Object.entries(hosts).map(([name, host]) => [name, hostText(host)])) };
  const writing = Object.entries(texts).map(([name, text]) => writeFile(join(folder, evidenceFile(name)), redact(`${heading}\n\n${text}`)));
  await Promise.all(writing);
}

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
