import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openPlugin, usesPlugin } from "./credentials-plugin.ts";
import type { User } from "./kubeconfig-file.ts";

let folder = "";
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "plugin-"))));
afterEach(() => {
  rmSync(folder, { recursive: true });
  vi.unstubAllEnvs();
});

/** A plugin that writes down that it was asked, and answers with the tokens token-1, token-2 and so on. */
const writePlugin = (path: string, status: object = {}): void => {
  const credential = { apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: { token: "TOKEN", ...status } };
  const script = `#!/bin/sh
echo "$1 $REGION" >> '${join(folder, "asked")}'
sed "s/TOKEN/token-$(wc -l < '${join(folder, "asked")}' | tr -d ' ')/" << 'END'
${JSON.stringify(credential)}
END
`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
};
const asked = (): string[] => (existsSync(join(folder, "asked")) ? readFileSync(join(folder, "asked"), "utf8").trim().split("\n") : []);
const userOf = (command: string): User => ({
  exec: { apiVersion: "client.authentication.k8s.io/v1", command, args: ["login"], env: [{ name: "REGION", value: "eu" }] },
});
const open = (user: User) => openPlugin("eve", { path: join(folder, "kubeconfig"), is: user });

test("a user with a plugin or an identity provider is told from one with credentials of their own", () => {
  expect(usesPlugin(userOf("login"))).toBe(true);
  expect(usesPlugin({ "auth-provider": { name: "oidc" } })).toBe(true);
  expect(usesPlugin({ token: "abc" })).toBe(false);
  expect(usesPlugin({ exec: null, "auth-provider": null })).toBe(false);
});

test("a plugin gets its arguments and its environment, and its token becomes the Authorization header", async () => {
  writePlugin(join(folder, "login.sh"));
  const ask = await open(userOf("./login.sh"));
  expect(await ask()).toEqual({ authorization: "Bearer token-1", cert: undefined, key: undefined });
  expect(asked()).toEqual(["login eu"]);
});

test("a certificate of a plugin comes with its key", async () => {
  writePlugin(join(folder, "login.sh"), { clientCertificateData: "CERTIFICATE", clientKeyData: "KEY" });
  expect(await (await open(userOf("./login.sh")))()).toMatchObject({ cert: "CERTIFICATE", key: "KEY" });
});

test("an answer serves while it is valid, and is asked for anew when it is not any more", async () => {
  writePlugin(join(folder, "valid.sh"), { expirationTimestamp: new Date(Date.now() + 3_600_000).toISOString() });
  const askValid = await open(userOf("./valid.sh"));
  expect([(await askValid()).authorization, (await askValid()).authorization]).toEqual(["Bearer token-1", "Bearer token-1"]);

  writePlugin(join(folder, "expired.sh"), { expirationTimestamp: new Date(Date.now() - 3_600_000).toISOString() });
  const askExpired = await open(userOf("./expired.sh"));
  expect([(await askExpired()).authorization, (await askExpired()).authorization]).toEqual(["Bearer token-2", "Bearer token-3"]);
});

test("a command without a slash is looked for in PATH", async () => {
  mkdirSync(join(folder, "bin"));
  writePlugin(join(folder, "bin/login-of-ours"));
  vi.stubEnv("PATH", `${join(folder, "bin")}${delimiter}${process.env["PATH"]}`);
  expect((await (await open(userOf("login-of-ours")))()).authorization).toBe("Bearer token-1");
});

test.for([
  ["is not there", undefined, /ENOENT/],
  ["fails", "#!/bin/sh\necho 'session expired' >&2\nexit 1\n", /session expired/],
  ["answers what is no credential", "#!/bin/sh\necho '<html>'\n", /./],
] as const)("a plugin that %s is told with file, user and reason", async ([_what, script, reason]) => {
  const path = join(folder, "login.sh");
  if (script !== undefined) writeFileSync(path, script, { mode: 0o755 });
  const error = await (await open(userOf("./login.sh")))().catch((failure: Error) => failure);
  expect(error).toMatchObject({ name: "SettingsError", message: expect.stringMatching(reason) });
  expect((error as Error).message).toContain(`KUBECONFIG: ${join(folder, "kubeconfig")}: the credentials plugin of user "eve" failed: `);
});
