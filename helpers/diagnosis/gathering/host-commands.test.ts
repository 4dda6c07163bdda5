import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parse } from "yaml";
import { functions, furtherCommands, journalCommands, prelude, reachingCommands, standingCommands } from "./host-commands.ts";
import { cutShort } from "../reading.ts";

const folder = mkdtempSync(join(tmpdir(), "encryption-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a host prints of an EncryptionConfiguration. */
function printedOf(configuration: string): string {
  const path = join(folder, "encryption-config.yaml");
  writeFileSync(path, configuration);
  return execFileSync("sh", ["-c", `encryption_config=${path}; ${standingCommands.encryption}`], { encoding: "utf8" });
}

/** Of 32 bytes, and made up here. */
const key = "UGxhbnRlZFBsYW50ZWRQbGFudGVkUGxhbnRlZFBsYW4=";
const withKey = (secret: string) => `
kind: EncryptionConfiguration
apiVersion: apiserver.config.k8s.io/v1
resources:
- resources: [secrets]
  providers:
  - aescbc:
      keys:
      - name: key1
        ${secret}
  - identity: {}
`;

test.for([
  ["plain", `secret: ${key}`],
  ["behind a space", `secret : ${key}`],
  ["in quotes", `secret: "${key}"`],
  ["in single quotes", `secret: '${key}'`],
  ["in quotes, as its name", `"secret": "${key}"`],
  ["with a tag", `secret: !!str ${key}`],
  ["with an anchor", `secret: &a ${key}`],
  ["on the next line", `secret:\n          ${key}`],
  ["in a block", `secret: |\n          ${key.slice(0, 20)}\n          ${key.slice(20)}`],
  ["folded", `secret: >-\n          ${key.slice(0, 20)}\n          ${key.slice(20)}`],
  ["in quotes over two lines", `secret: "${key.slice(0, 20)}\n          ${key.slice(20)}"`],
  ["of another name", `Secret: ${key}`],
  ["as a name", `${key}: 1`],
  ["as a name in question", `? secret\n        : ${key}`],
  ["in a comment", `secret: eA==  # was ${key}`],
] as const)("a key does not leave the host: %s", ([, secret]) => {
  const printed = printedOf(withKey(secret));

  expect(printed).not.toContain(key.slice(0, 20));
  expect(printed).not.toContain(key.slice(20, 40));
  expect(printed).toContain("name: key1");
});

const shape = {
  kind: "EncryptionConfiguration",
  apiVersion: "apiserver.config.k8s.io/v1",
  resources: [
    {
      resources: ["secrets", "customresources.example.com", "*.apps", "*.*"],
      providers: [
        {
          aescbc: {
            keys: [
              { secret: key, name: "key1" },
              { name: "a:b", secret: key },
            ],
          },
        },
        { kms: { apiVersion: "v2", name: "vault", endpoint: "unix:///run/kms.sock" } },
        { identity: {} },
      ],
    },
  ],
};
const inBlocks = `# of the guide
kind: EncryptionConfiguration
apiVersion: "apiserver.config.k8s.io/v1"
resources:
  - resources:
      - secrets
      - 'customresources.example.com'
      - "*.apps"
      - '*.*'   # all the rest
    providers: &providers
      - aescbc:
          keys:
            - secret: ${key}
              name: &name key1
            - {name: 'a:b', secret: '${key}'}
      - kms:
          apiVersion: v2
          name: vault
          endpoint: unix:///run/kms.sock
      - identity: {}
`;

test.for([
  ["in block style", inBlocks],
  ["with the line ends of Windows", inBlocks.replaceAll("\n", "\r\n")],
  ["as JSON on one line", JSON.stringify(shape)],
  ["as JSON", JSON.stringify(shape, undefined, 2)],
] as const)("resources, providers and names of keys are printed, and can be read: %s", ([, configuration]) => {
  const hidden = JSON.stringify(shape).replaceAll(key, "x").replace("unix:///run/kms.sock", "x");

  expect(parse(printedOf(configuration))).toEqual(JSON.parse(hidden));
});

test.for([
  ["a value behind an equals sign", ["kube-apiserver", "--v=2", "--bind-address=0.0.0.0"], ["--v=2", "--bind-address=0.0.0.0"]],
  [
    "a value as a word of its own",
    ["kube-apiserver", "--v", "2", "--etcd-servers", "http://127.0.0.1:2379"],
    ["--v=2", "--etcd-servers=http://127.0.0.1:2379"],
  ],
  ["no value", ["kube-apiserver", "--allow-privileged", "--v=2", "--profiling"], ["--allow-privileged", "--v=2", "--profiling"]],
  [
    "no value, and behind it a short one",
    ["kube-apiserver", "--allow-privileged", "-v", "2", "--profiling"],
    ["--allow-privileged", "--profiling"],
  ],
  ["what is no flag", ["kube-apiserver", "word", "--v=2", "word", "-x"], ["--v=2"]],
] as const)("the flags of a process are read with %s", ([, words, expected]) => {
  const read = execFileSync("sh", ["-c", `${prelude}\nflags_of kube-apiserver`], {
    input: words.map((word) => `${word}\0`).join(""),
    encoding: "utf8",
  });

  expect(read.trim().split("\n")).toEqual(expected.map((flag) => `kube-apiserver ${flag}`));
});

/** What a host prints whose programs answer so, each to some words behind its name. */
function printedWith(programs: Readonly<Record<string, string>>, command: string): string[] {
  const here = mkdtempSync(join(folder, "programs-"));
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(join(here, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(here, name), 0o755);
  }
  const printed = execFileSync("sh", ["-c", command], { env: { PATH: `${here}:/usr/bin:/bin` }, encoding: "utf8" });
  return printed.trimEnd().split("\n");
}

const answer = (...lines: readonly string[]) => `cat <<'END'\n${lines.join("\n")}\nEND`;
const onlyOf = (words: string, line: string) => `[ "$*" = '${words}' ] || exit 1\n${answer(line)}`;

test("the rules for a NodePort are read of both families, whoever has made them", () => {
  const command = reachingCommands({ nodes: [], pods: [], podPort: 80, nodePort: 30267 }, "node-1")["node-port-rules"];
  const dport = (chain: string) => `-A ${chain} -p tcp -m tcp --dport 30267 -j ${chain}-EXT`;

  expect(
    printedWith(
      { "iptables-save": onlyOf("-t nat", dport("A")), "ip6tables-save": onlyOf("-t nat", dport("B")), nft: "exit 1" },
      command ?? "",
    ),
  ).toEqual([dport("A"), dport("B")]);
  expect(
    printedWith(
      { "iptables-save": "exit 1", "ip6tables-save": "exit 1", nft: onlyOf("list table ip6 kube-proxy", "tcp . 30267 : goto x") },
      command ?? "",
    ),
  ).toEqual(["tcp . 30267 : goto x"]);
});

test("of rules of iptables those of chains that come first are read, and it is said where there are more", () => {
  const rules = (count: number) => Array.from({ length: count }, (_, index) => `-A INPUT -p tcp -m tcp --dport ${index} -j DROP`);
  const read = (count: number) =>
    printedWith({ "iptables-save": answer("*filter", ":INPUT ACCEPT [0:0]", ...rules(count), "COMMIT") }, standingCommands.filters);

  expect(read(399)).toEqual(["filter :INPUT ACCEPT [0:0]", ...rules(399).map((rule) => `filter ${rule}`)]);
  expect(read(400)).toEqual(["filter :INPUT ACCEPT [0:0]", ...rules(399).map((rule) => `filter ${rule}`), cutShort]);
});

const ruleset = (...rules: readonly string[]) =>
  answer(
    "table inet own { # handle 1",
    "\tset ours { # handle 2",
    "\t\ttype ipv4_addr",
    "\t}",
    "",
    "\tchain guard { # handle 3",
    "\t\ttype filter hook forward priority filter; policy accept;",
    ...rules.map((rule) => `\t\t${rule}`),
    "\t}",
    "}",
  );
const heading = [
  "inet own guard - chain guard { # handle 3",
  "inet own guard forward type filter hook forward priority filter; policy accept;",
];

test("the rules of nftables are read behind the hook of their chain, whatever a comment says", () => {
  const drop = (comment: string) => `tcp dport 80 drop comment "${comment}" # handle 4`;
  const told = (rule: string) => `inet own guard forward ${rule}`;
  const read = (...rules: readonly string[]) => printedWith({ nft: ruleset(...rules) }, furtherCommands.nft);

  expect(read(drop("in a hook here"), drop("of type filter hook input priority"))).toEqual([
    ...heading,
    told(drop("in a hook here")),
    told(drop("of type filter hook input priority")),
  ]);
  const many = Array.from({ length: 299 }, (_, index) => drop(String(index)));
  expect(read(...many.slice(0, 298))).toEqual([...heading, ...many.slice(0, 298).map(told)]);
  expect(read(...many)).toEqual([...heading, ...many.slice(0, 298).map(told), cutShort]);
});

test("of a journal errors are told once, and behind them the last lines as they stand, but for those told already", () => {
  const journalctl = `case "$*" in *--since*) printf '${["E0101 broken", "fine", "E0101 broken", "Error: gone"].join("\\n")}' ;; esac
    case "$*" in *"-n 6 "*) printf '${["Error: gone", "BEGIN", "same", "same"].join("\\n")}' ;; esac`;

  expect(printedWith({ systemctl: answer("etcd.service enabled"), journalctl }, journalCommands.journal)).toEqual(
    ["E0101 broken", "Error: gone", "BEGIN", "same", "same"].map((line) => `etcd: ${line}`),
  );
});

test.for([
  ["by their names", "", "--insecure https://node-0:10250/healthz"],
  ["by their addresses", "--kubelet-preferred-address-types=InternalIP,Hostname", "--insecure https://192.0.2.11:10250/healthz"],
  ["with their authority", "--kubelet-certificate-authority=/ca.crt", "--cacert /ca.crt https://node-0:10250/healthz"],
] as const)("the kubelets are asked as kube-apiserver asks them: %s", ([, flag, asked]) => {
  const known = { nodes: [{ name: "node-0", address: "192.0.2.11" }], pods: [], podPort: 80, nodePort: undefined };
  const { kubelets = "" } = reachingCommands(known, "server");
  const printed = (processes: string) =>
    printedWith({ curl: 'echo "$*"' }, `processes='${processes}'; flags='kube-apiserver ${flag}'\n${functions}\n${kubelets}`);

  expect(printed("kube-apiserver 7")).toEqual([expect.stringMatching(/^node-0 exit=0 /)]);
  expect(printed("kube-apiserver 7")[0]).toContain(asked);
  expect(printed("kubelet 7")).toEqual([""]);
});

test("of nftables a table that is asleep is passed over, and the next one is not", () => {
  const table = (name: string, ...flags: readonly string[]) => [
    `table inet ${name} { # handle 1`,
    ...flags.map((flag) => `\tflags ${flag}`),
    "\tchain guard { # handle 2",
    "\t\ttype filter hook forward priority filter; policy drop;",
    "\t}",
    "}",
  ];
  const nft = answer(...table("asleep", "dormant"), ...table("awake"));

  expect(printedWith({ nft }, furtherCommands.nft)).toEqual([
    "inet awake guard - chain guard { # handle 2",
    "inet awake guard forward type filter hook forward priority filter; policy drop;",
  ]);
});
