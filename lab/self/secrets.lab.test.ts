/**
 * Nothing that must not leave does: each kind of secret that the filter knows is planted where evidence is read and messages are taken
 * from, and looked for in all that a run then writes and says. The lab is of its own, and everything planted goes with it.
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { planted, plantedPassword, tracesIn } from "../../helpers/redaction/planted.ts";
import { shellQuote } from "../../helpers/remote-command.ts";
import { podsMutated } from "../faults/api-objects.ts";
import { etcdctlIs } from "../faults/etcd.ts";
import type { Lab } from "../faults/fault.ts";
import { chosenInstance, type Instance } from "../instance.ts";
import { runSuite } from "../operator.ts";
import { bootedLab } from "../proof/lab.ts";
import { ownLab } from "./own-lab.ts";

const name = "selfsecret";
const { begin, end } = ownLab(chosenInstance({ LAB_NAME: name }));
beforeAll(begin);
afterAll(end);

/** What shows that a place was read: it stands above and below each secret. */
const above = (index: number): string => `marker-${index}-above`;
const below = (index: number): string => `marker-${index}-below`;
const marked = planted.map(({ text }, index) => `${above(index)}\n${text}\n${below(index)}`);
const markers = planted.flatMap((_, index) => [above(index), below(index)]);
/** For places that hold lines only: the secrets that take one, with what shows it in front. */
const markedLines = planted.flatMap(({ text }, index) => (text.includes("\n") ? [] : [`${above(index)} ${text}`]));
/** For a line that holds them all. */
const markedWords = planted.flatMap(({ text, isWholeLine }, index) =>
  text.includes("\n") || isWholeLine === true ? [] : [`${above(index)} ${text}`],
);
const markersOf = (lines: readonly string[]): string[] => lines.map((line) => line.split(" ", 1)[0] ?? "");

/** The value of a Secret that is none of the run's. */
const others = "OthersPassword9";

/** As one entry that kube-proxy might have made. In this order none of the texts begins what another ends. */
async function plantInJournal(lab: Lab): Promise<void> {
  const message = marked.toReversed().join("\n").replaceAll(/^/gm, "MESSAGE=");
  await lab.on("node-1", `printf '%s\\n' ${shellQuote(message)} OBJECT_SYSTEMD_UNIT=kube-proxy.service | logger --journald`);
}

async function plantInObjects(lab: Lab): Promise<void> {
  const annotations = Object.fromEntries(marked.map((text, index) => [`example.com/${index}`, text]));
  await lab.kubectl("patch", "node", "node-1", "--type=merge", "--patch", JSON.stringify({ metadata: { annotations } }));
  await lab.kubectl("--namespace=default", "create", "secret", "generic", "others", `--from-literal=key=${others}`);
}

/** What every Pod of the run is started with, and what its log holds, in which no request is to be found. */
async function plantInPods(lab: Lab): Promise<void> {
  const script = `printf '%s\\n' "$@"; exec nginx -g "daemon off;" >/dev/null`;
  await podsMutated("secrets", { "/spec/containers/0/command": ["sh", "-c", script, "sh", ...markedLines] }).inject(lab);
}

/** What etcdctl says in its last line stands in the messages of the checks that ask it. */
async function plantInMessages(lab: Lab): Promise<void> {
  await etcdctlIs(`printf '%s\\n' ${shellQuote(markedWords.join(" "))} >&2; exit 1`).inject(lab);
}

/** The keys that the lab itself was built with, by their files: each line of them that tells anything. */
async function ownKeys({ folder }: Instance): Promise<Record<string, string[]>> {
  const pki = join(folder, "pki");
  const files = (await readdir(pki)).filter((file) => /\.key$|^id_ed25519$|^encryption-config/.test(file));
  const read = files.map(async (file) => [file, linesOfKey(await readFile(join(pki, file), "utf8"))] as const);
  return Object.fromEntries(await Promise.all(read));
}

const linesOfKey = (text: string): string[] => [...text.matchAll(/^[A-Za-z0-9+/]{40,}=*$|(?<=secret: )\S+/gm)].map(([line]) => line);

/** All that a run has written, by the names of the files, and what it has said. */
async function outputOfRun(lab: Lab): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), "secrets-"));
  try {
    const environment = {
      SMOKE_JUNIT: join(folder, "junit.xml"),
      SMOKE_EVIDENCE: join(folder, "evidence"),
      SMOKE_ETCDCTL_FLAGS: `--user=root:${plantedPassword}`,
    };
    const { output } = await runSuite(lab.instance, { environment });
    const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
    const texts = files.map(async (file) => [file.name, await readFile(join(file.parentPath, file.name), "utf8")] as const);
    return { terminal: output, ...Object.fromEntries(await Promise.all(texts)) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

type Neighbourhood = [place: string, text: string | undefined, markers: readonly string[]];

/** What is shown of the places where something was planted, with the markers that must be there. Of a log that is its last lines. */
function neighbourhoods(written: Readonly<Record<string, string>>): Neighbourhood[] {
  const [pods, log] = written["logs-recorded.yaml"]?.split("\nlog: ") ?? [];
  const inMessages = [...markersOf([...markedWords.slice(0, 1), ...markedWords.slice(-1)]), "--user=root:[redacted]"];
  return [
    ["the journal of kube-proxy", written["node-1.txt"], markers],
    ["a Node, of node-port-answers", written["node-port-answers.yaml"], markers],
    ["the Pods, of logs-recorded", pods, markersOf(markedLines)],
    ["a log, of logs-recorded", log, markersOf(markedLines.slice(-20))],
    ["the messages on the terminal", written["terminal"], inMessages],
    ["the messages in JUnit", written["junit.xml"], inMessages],
  ];
}

test("of each kind of secret that evidence and messages come by, nothing is in a file or in what a run says", async () => {
  const lab = await bootedLab(name);
  await lab.on("node-1", "systemctl stop kube-proxy");
  await Promise.all([plantInJournal(lab), plantInObjects(lab), plantInPods(lab), plantInMessages(lab)]);
  const keys = await ownKeys(lab.instance);

  const written = await outputOfRun(lab);

  // Where the markers are not, nothing was read, and nothing could have been found.
  const unread = neighbourhoods(written).flatMap(([place, text = "", wanted]) =>
    wanted.filter((marker) => !text.includes(marker)).map((marker) => `${marker} in ${place}`),
  );
  expect(unread).toEqual([]);
  expect(Object.values(keys).filter((lines) => lines.length === 0)).toEqual([]);
  const found = Object.entries(written).flatMap(([file, text]) => [
    ...tracesIn(text).map((what) => `${what} in ${file}`),
    ...[others, Buffer.from(others).toString("base64")].filter((secret) => text.includes(secret)).map(() => `another's Secret in ${file}`),
    ...Object.entries(keys).flatMap(([key, lines]) => (lines.some((line) => text.includes(line)) ? [`${key} in ${file}`] : [])),
  ]);
  expect(found).toEqual([]);
});
