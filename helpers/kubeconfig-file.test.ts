import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readKubeconfig } from "./kubeconfig-file.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeconfig-file-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const write = (content: string): string => {
  const path = join(folder, `${(files += 1)}.yaml`);
  writeFileSync(path, content);
  return path;
};

test("each entry knows the file that it is from, and the first file that defines a name wins", () => {
  const first = write("clusters: [{ name: one, cluster: { server: https://first } }]");
  const second = write(`
clusters:
  - { name: one, cluster: { server: https://second } }
  - { name: two, cluster: { server: https://second } }
users: [{ name: admin, user: { token: abc } }]
contexts: [{ name: lab, context: { cluster: two, user: admin, namespace: default } }]`);

  const { clusters, users, contexts } = readKubeconfig([first, second].join(delimiter));

  expect(Object.fromEntries(clusters)).toEqual({
    one: { path: first, is: { server: "https://first" } },
    two: { path: second, is: { server: "https://second" } },
  });
  expect(Object.fromEntries(users)).toEqual({ admin: { path: second, is: { token: "abc" } } });
  expect(Object.fromEntries(contexts)).toEqual({ lab: { path: second, is: { cluster: "two", user: "admin", namespace: "default" } } });
});

test("within a file the first of a name wins as well", () => {
  const path = write("users: [{ name: admin, user: { token: first } }, { name: admin, user: { token: second } }]");
  expect(readKubeconfig(path).users.get("admin")?.is).toEqual({ token: "first" });
});

test("what kubectl writes as null, and what it leaves out, is empty", () => {
  const path = write("apiVersion: v1\nkind: Config\nclusters: null\nusers: [{ name: admin, user: null }]\ncontexts: [{ name: lab }]\n");
  const bare = write("clusters: [{ name: one }]");
  const { clusters, users, contexts } = readKubeconfig(path);
  expect(clusters.size).toBe(0);
  expect(users.get("admin")).toEqual({ path, is: {} });
  expect(contexts.get("lab")).toEqual({ path, is: {} });
  expect(readKubeconfig(bare).clusters.get("one")).toEqual({ path: bare, is: {} });
});

test("a file without content is a kubeconfig without entries, as long as there is a file", () => {
  expect(readKubeconfig(write("")).contexts.size).toBe(0);
  expect(() => readKubeconfig(delimiter)).toThrow(`KUBECONFIG=${delimiter}: no such file.`);
});

test.for([
  ["no YAML", "clusters: [", /./],
  ["no mapping", "- clusters", /expected object/],
  ["entries without a name", "users: [{ user: { token: abc } }]", /expected string.*\n.*at users\[0\]\.name/],
  ["a token that is no text", "users: [{ name: admin, user: { token: 123 } }]", /expected string.*\n.*at users\[0\]\.user\.token/],
  ["a plugin without a command", "users: [{ name: admin, user: { exec: {} } }]", /at users\[0\]\.user\.exec\.command/],
] as const)("%s is no kubeconfig, and the file is named", ([_what, content, reason]) => {
  const path = write(content);
  const read = () => readKubeconfig([write("users: []"), path].join(delimiter));
  expect(read).toThrow(`KUBECONFIG: ${path} is not a kubeconfig: `);
  expect(read).toThrow(reason);
});
