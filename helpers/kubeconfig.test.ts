import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { clientCertificateProblem, loadKubeconfig } from "./kubeconfig.ts";
import { newCertificate } from "./test-certificates.ts";

const folder = mkdtempSync(join(tmpdir(), "kubeconfig-"));
afterAll(() => rmSync(folder, { recursive: true }));

const authority = newCertificate({ commonName: "kubernetes" });
const admin = newCertificate({ commonName: "admin", issuer: authority });
const base64 = (text: string) => Buffer.from(text).toString("base64");

let files = 0;
const write = (content: string, name = `${(files += 1)}.kubeconfig`): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

type Parts = { cluster?: object; user?: object | null; context?: object };
/** A kubeconfig with context `lab` of cluster `c` and user `u`. */
const kubeconfig = ({ cluster = {}, user = {}, context = {} }: Parts = {}): string =>
  stringify({
    "current-context": "another",
    clusters: [{ name: "c", cluster: { server: "https://server.kubernetes.local:6443", ...cluster } }],
    users: [{ name: "u", user }],
    contexts: [{ name: "lab", context: { cluster: "c", user: "u", ...context } }],
  });

const problemsOf = async (value: string, contextName = "lab"): Promise<readonly string[]> =>
  loadKubeconfig(value, contextName).then(
    () => [],
    (error: { name: string; problems: string[] }) => {
      expect(error.name).toBe("SettingsError");
      return error.problems;
    },
  );

test("the guide's own kind of kubeconfig: everything inline", async () => {
  const path = write(
    kubeconfig({
      cluster: { "certificate-authority-data": base64(authority.cert) },
      user: { "client-certificate-data": base64(admin.cert), "client-key-data": base64(admin.key) },
    }),
  );
  const { authorization, ...access } = await loadKubeconfig(path, "lab");
  expect(access).toEqual({
    contextName: "lab",
    clusterName: "c",
    userName: "u",
    server: "https://server.kubernetes.local:6443",
    tls: { ca: authority.cert, ...admin, servername: undefined, rejectUnauthorized: true },
    proxyURL: undefined,
  });
  expect(await authorization()).toBeUndefined();
});

test("paths start from the folder of their file, and what is inline wins over them", async () => {
  mkdirSync(join(folder, "pki"));
  write(authority.cert, "pki/ca.crt");
  write(admin.cert, "pki/admin.crt");
  write(admin.key, "pki/admin.key");
  const cluster = { "certificate-authority": "pki/ca.crt" };
  const user = { "client-certificate": "pki/admin.crt", "client-key": join(folder, "pki/admin.key") };
  const { tls } = await loadKubeconfig(write(kubeconfig({ cluster, user })), "lab");
  expect(tls).toMatchObject({ ca: authority.cert, ...admin });
  const overruled = { ...user, "client-certificate": "gone.crt", "client-certificate-data": base64(admin.cert) };
  expect((await loadKubeconfig(write(kubeconfig({ user: overruled })), "lab")).tls.cert).toBe(admin.cert);
});

test("a cluster's other settings arrive, and the server's address ends without a slash", async () => {
  const cluster = {
    server: "https://10.0.0.1:6443/",
    "insecure-skip-tls-verify": true,
    "tls-server-name": "kubernetes",
    "proxy-url": "http://127.0.0.1:3128",
  };
  expect(await loadKubeconfig(write(kubeconfig({ cluster })), "lab")).toMatchObject({
    server: "https://10.0.0.1:6443",
    tls: { rejectUnauthorized: false, servername: "kubernetes" },
    proxyURL: "http://127.0.0.1:3128",
  });
});

test.each([
  ["a token", { token: "abc" }, "Bearer abc"],
  ["name and password", { username: "eve", password: "ü:" }, `Basic ${base64("eve:ü:")}`],
  ["a token before name and password", { token: "abc", username: "eve" }, "Bearer abc"],
  ["nothing", null, undefined],
])("%s becomes its Authorization header", async (_what, user, header) => {
  const access = await loadKubeconfig(write(kubeconfig({ user })), "lab");
  expect(await access.authorization()).toBe(header);
});

test("a token file wins over a token, and is read anew each time", async () => {
  write("first\n", "token");
  const access = await loadKubeconfig(write(kubeconfig({ user: { tokenFile: "token", token: "stale" } })), "lab");
  expect(await access.authorization()).toBe("Bearer first");
  write("second\n", "token");
  expect(await access.authorization()).toBe("Bearer second");
  rmSync(join(folder, "token"));
  await expect(access.authorization()).rejects.toThrow(/names token as tokenFile, which cannot be read: ENOENT/);
});

test("of several files the first that defines a name wins, and missing and empty ones are passed over", async () => {
  const first = write(stringify({ users: [{ name: "u", user: { token: "first" } }] }));
  const second = write(kubeconfig({ user: { token: "second" } }));
  const list = ["", join(folder, "gone"), write(""), first, second].join(delimiter);
  const access = await loadKubeconfig(list, "lab");
  expect([access.server, await access.authorization()]).toEqual(["https://server.kubernetes.local:6443", "Bearer first"]);
});

test("a context without a user is anonymous", async () => {
  const access = await loadKubeconfig(write(kubeconfig({ context: { user: "" } })), "lab");
  expect([access.userName, await access.authorization()]).toEqual(["", undefined]);
});

test("files that are not there, or no kubeconfig, are named", async () => {
  const [one, two] = [join(folder, "gone"), join(folder, "too")];
  expect(await problemsOf(one)).toEqual([`KUBECONFIG=${one}: no such file.`]);
  expect(await problemsOf([one, two].join(delimiter))).toEqual([`KUBECONFIG=${one}${delimiter}${two}: no such file.`]);
  expect(await problemsOf(folder)).toEqual([expect.stringContaining(`KUBECONFIG: ${folder} is not a kubeconfig: EISDIR`)]);
  const broken = write("clusters: [");
  expect(await problemsOf(broken)).toEqual([expect.stringContaining(`KUBECONFIG: ${broken} is not a kubeconfig: `)]);
  const wrong = write("clusters: none");
  expect(await problemsOf(wrong)).toEqual([expect.stringMatching(/is not a kubeconfig: .*expected array.*\n.*at clusters/)]);
});

test("a context, cluster or user that is not there is told with those that are", async () => {
  const path = write(kubeconfig());
  expect(await problemsOf(path, "prod")).toEqual([
    `KUBECONFIG=${path}: the context that SMOKE_CONTEXT names, "prod", is not in it. It has: lab.`,
  ]);
  expect(await problemsOf(write(kubeconfig({ context: { cluster: "x" } })))).toEqual([
    expect.stringContaining('the cluster of context "lab", "x", is not in it. It has: c.'),
  ]);
  expect(await problemsOf(write(kubeconfig({ context: { user: "x" } })))).toEqual([
    expect.stringContaining('the user of context "lab", "x", is not in it. It has: u.'),
  ]);
});

test("everything that is wrong with a cluster and its user is said at once", async () => {
  const path = write(
    kubeconfig({
      cluster: { server: "10.0.0.1:6443", "certificate-authority": "gone.crt", "proxy-url": "127.0.0.1:3128" },
      user: { as: "root", "client-certificate-data": base64("garbage") },
    }),
  );
  expect(await problemsOf(path)).toEqual([
    `KUBECONFIG: ${path}: server is "10.0.0.1:6443", expected an address such as https://127.0.0.1:6443.`,
    `KUBECONFIG: ${path}: proxy-url is "127.0.0.1:3128", expected an address such as http://127.0.0.1:3128.`,
    expect.stringContaining(`KUBECONFIG: ${path}: its user acts as "root", which this suite cannot do.`),
    expect.stringContaining(`KUBECONFIG: ${path} names gone.crt as certificate-authority, which cannot be read: ENOENT`),
    expect.stringContaining(`KUBECONFIG: ${path}: client-certificate is not in PEM: `),
  ]);
});

test("a certificate and a key of different pairs are refused", async () => {
  const user = { "client-certificate-data": base64(admin.cert), "client-key-data": base64(authority.key) };
  expect(await problemsOf(write(kubeconfig({ user })))).toEqual([
    expect.stringContaining("client-certificate and client-key do not belong together."),
  ]);
});

test("a client certificate says when it is not valid any more, or not yet", () => {
  const access = { userName: "admin", tls: { cert: admin.cert, rejectUnauthorized: true } };
  const dayMs = 86_400_000;
  expect(clientCertificateProblem(access)).toBeUndefined();
  expect(clientCertificateProblem({ userName: "admin", tls: { rejectUnauthorized: true } })).toBeUndefined();
  expect(clientCertificateProblem(access, new Date(Date.now() + 2 * dayMs))).toMatch(
    /^the client certificate of user "admin" has expired on .* GMT$/,
  );
  expect(clientCertificateProblem(access, new Date(Date.now() - dayMs))).toMatch(
    /^the client certificate of user "admin" is not valid before .* GMT$/,
  );
});

const execCredential = (status: object) =>
  `#!/bin/sh\ncat << 'END'\n${JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status })}\nEND\n`;
const plugin = (name: string, script: string) => {
  const path = write(script, name);
  chmodSync(path, 0o755);
  return { exec: { apiVersion: "client.authentication.k8s.io/v1", command: `./${name}` } };
};

test("a credentials plugin beside its kubeconfig is run for token or certificate; two users do not get each other's", async () => {
  const withToken = await loadKubeconfig(
    write(kubeconfig({ user: plugin("token.sh", execCredential({ token: "of-the-plugin" })) })),
    "lab",
  );
  expect(await withToken.authorization()).toBe("Bearer of-the-plugin");
  const status = { clientCertificateData: admin.cert, clientKeyData: admin.key };
  const withCertificate = await loadKubeconfig(write(kubeconfig({ user: plugin("certificate.sh", execCredential(status)) })), "lab");
  expect(withCertificate.tls).toMatchObject(admin);
  expect(await withCertificate.authorization()).toBeUndefined();
});

test("a credentials plugin that fails is quoted", async () => {
  const path = write(kubeconfig({ user: plugin("failing.sh", "#!/bin/sh\necho 'please log in' >&2\nexit 1\n") }));
  expect(await problemsOf(path)).toEqual([`KUBECONFIG: ${path}: the credentials plugin of user "u" failed: please log in`]);
});
