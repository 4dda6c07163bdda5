/**
 * The settings of a run: every variable that the suite reads, checked at once. This is the only file of the suite that knows the names
 * of environment variables; everything else takes the `Settings` it returns.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { isCIDR } from "./cidr.ts";
import { readEncryptionConfiguration } from "./encryption-configuration.ts";
import { reasonOf, SettingsError } from "./errors.ts";
import { kubeconfigProblems } from "./kubeconfig.ts";
import { fileProblem, folderProblem } from "./output-path.ts";

/** A toleration as the API takes it. https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/ */
export type Toleration = { key: string; operator: "Equal" | "Exists"; value?: string; effect?: string };

const text = z.string().optional();
const wholeNumber = (from: number, to: number, preset: number) =>
  z
    .string()
    .regex(/^\d+$/, `expected a whole number from ${from} to ${to}`)
    .transform(Number)
    .refine((number) => number >= from && number <= to, `expected a whole number from ${from} to ${to}`)
    .default(preset);
const seconds = (preset: number) => wholeNumber(1, 3600, preset).transform((number) => number * 1000);

const file = text.transform((path, context) => {
  if (path === undefined) return undefined;
  const absolute = path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
  if (!existsSync(absolute)) context.addIssue("no such file");
  else if (!statSync(absolute).isFile()) context.addIssue("it is no file");
  return absolute;
});

/** @param problemOf what keeps us from writing there: at the end of a run, nobody could mend it any more */
const output = (problemOf: (path: string) => string | undefined) =>
  z.string().superRefine((path, context) => {
    const problem = problemOf(path);
    if (problem !== undefined) context.addIssue(problem);
  });

/** Read here and not later, so that what is wrong in it is told together with everything else. */
const encryptionConfiguration = file.transform((path, context) => {
  if (path === undefined) return undefined;
  try {
    return { path, writer: readEncryptionConfiguration(readFileSync(path, "utf8")).writer };
  } catch (error) {
    context.addIssue(reasonOf(error));
    return z.NEVER;
  }
});

const list = text.transform((value) =>
  (value ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== ""),
);

/** `name=value,name=value`; a name given twice collects its values. */
const pairs = list.transform((entries, context) => {
  const found: Record<string, string[]> = {};
  for (const entry of entries) {
    const [, name, value] = /^([^=\s]+)=(\S+)$/.exec(entry) ?? [];
    if (name === undefined || value === undefined) context.addIssue(`"${entry}" is not of the form name=value`);
    else (found[name] ??= []).push(value);
  }
  return found;
});

const hosts = pairs.transform((found, context) => {
  for (const [name, addresses] of Object.entries(found)) {
    if (addresses.length > 1) context.addIssue(`"${name}" has ${addresses.length} addresses, expected one`);
  }
  return Object.fromEntries(Object.entries(found).map(([name, [address]]) => [name, address as string]));
});

const cidrs = list.refine((values) => values.every(isCIDR), "expected address ranges such as 10.32.0.0/24, separated by commas");
const podCIDRs = pairs.refine(
  (found) => Object.values(found).flat().every(isCIDR),
  "expected node=range pairs such as node-0=10.200.0.0/24",
);

/** The notation of `kubectl taint`: `key=value:Effect`, `key:Effect` or `key`. */
const tolerations = list.transform((entries, context): Toleration[] =>
  entries.flatMap((entry) => {
    const [, key, value, effect] = /^([\w./-]+)(?:=([\w.-]*))?(?::(NoSchedule|PreferNoSchedule|NoExecute))?$/.exec(entry) ?? [];
    if (key === undefined) {
      context.addIssue(`"${entry}" is not of the form key=value:NoSchedule`);
      return [];
    }
    return [{ key, operator: value === undefined ? "Exists" : "Equal", ...(value && { value }), ...(effect && { effect }) }];
  }),
);

const etcdctlFlags = text.transform((value) => value?.match(/\S+/g) ?? []);
const providers = ["aescbc", "aesgcm", "secretbox", "kms"] as const;
const dnsLabel = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

const table = {
  KUBECONFIG: text,
  SMOKE_CONTEXT: text,
  SMOKE_SERVER: z.string().default("server"),
  SMOKE_HOSTS: hosts,
  SMOKE_WORKERS: list,
  SMOKE_SSH_USER: z.string().default("root"),
  SMOKE_SSH_KEY: file,
  SMOKE_SSH_KNOWN_HOSTS: file,
  SMOKE_SSH_PORT: wholeNumber(1, 65535, 22),
  SMOKE_ETCDCTL_FLAGS: etcdctlFlags,
  SMOKE_ENCRYPTION_PROVIDER: z.enum(providers, `expected one of ${providers.join(", ")}`).optional(),
  SMOKE_ENCRYPTION_KEY_NAME: text,
  SMOKE_ENCRYPTION_CONFIG: encryptionConfiguration,
  SMOKE_IMAGE: z.string().default("nginx:latest"),
  SMOKE_IMAGE_PORT: wholeNumber(1, 65535, 80),
  SMOKE_PULL_SECRET: file,
  SMOKE_TOLERATIONS: tolerations,
  SMOKE_NAMESPACE: z.string().regex(dnsLabel, "expected the name of an existing namespace").optional(),
  SMOKE_POD_CIDRS: podCIDRs,
  SMOKE_SERVICE_CIDR: cidrs,
  SMOKE_READY_TIMEOUT_SECONDS: seconds(60),
  SMOKE_PULL_TIMEOUT_SECONDS: seconds(180),
  SMOKE_REQUEST_TIMEOUT_SECONDS: seconds(5),
  SMOKE_SSH_TIMEOUT_SECONDS: seconds(10),
  SMOKE_CLEANUP_TIMEOUT_SECONDS: seconds(60),
  SMOKE_JUNIT: output(fileProblem).optional(),
  SMOKE_EVIDENCE: output(folderProblem).default("smoke-report/evidence"),
};

/** Where JUnit goes without being asked for. */
const junitInCI = "smoke-report/junit.xml";

/** Every variable there is; `.env.example` lists the same ones. */
export const settingNames: readonly string[] = Object.keys(table);

type Variables = Readonly<Record<string, string | undefined>>;
export type Settings = ReturnType<typeof settingsOf>;

/** An unset variable and an empty one mean the same, so that a line of `.env` can be switched off by emptying it. */
function withoutEmpty(variables: Variables): Record<string, string> {
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, value]) => (value === undefined || value.trim() === "" ? [] : [[name, value.trim()]])),
  );
}

function unknownSettings(given: Record<string, string>): string[] {
  return Object.keys(given)
    .filter((name) => name.startsWith("SMOKE_") && !(name in table))
    .map((name) => `${name} is not a setting. Known are ${settingNames.join(", ")}.`);
}

/** What is not ours to set, and still tells something. */
type Surroundings = { isCI: boolean; agentSocket: string | undefined };

function settingsOf(values: z.infer<z.ZodObject<typeof table>>, { isCI, agentSocket }: Surroundings) {
  const configuration = values.SMOKE_ENCRYPTION_CONFIG;
  const provider = values.SMOKE_ENCRYPTION_PROVIDER ?? configuration?.writer.provider ?? "aescbc";
  // The key of another provider says nothing about this one's.
  const writer = configuration?.writer.provider === provider ? configuration.writer : undefined;
  const workers =
    values.SMOKE_WORKERS.length > 0 ? values.SMOKE_WORKERS : Object.keys(values.SMOKE_HOSTS).filter((name) => name !== values.SMOKE_SERVER);
  return {
    kubeconfig: values.KUBECONFIG,
    contextName: values.SMOKE_CONTEXT,
    server: values.SMOKE_SERVER,
    hosts: values.SMOKE_HOSTS,
    workers,
    ssh: {
      user: values.SMOKE_SSH_USER,
      privateKeyPath: values.SMOKE_SSH_KEY,
      agentSocket,
      knownHostsPath: values.SMOKE_SSH_KNOWN_HOSTS ?? join(homedir(), ".ssh/known_hosts"),
      port: values.SMOKE_SSH_PORT,
      timeoutMs: values.SMOKE_SSH_TIMEOUT_SECONDS,
    },
    etcdctlFlags: values.SMOKE_ETCDCTL_FLAGS,
    encryption: {
      provider,
      // Every provider writes v1, but for KMS, of which there are two; the second is what Kubernetes still offers.
      version: writer?.version ?? (provider === "kms" ? "v2" : "v1"),
      keyName: values.SMOKE_ENCRYPTION_KEY_NAME ?? writer?.keyName ?? "key1",
      configurationPath: configuration?.path,
    },
    image: values.SMOKE_IMAGE,
    imagePort: values.SMOKE_IMAGE_PORT,
    pullSecretPath: values.SMOKE_PULL_SECRET,
    tolerations: values.SMOKE_TOLERATIONS,
    namespace: values.SMOKE_NAMESPACE,
    podCIDRs: values.SMOKE_POD_CIDRS,
    serviceCIDRs: values.SMOKE_SERVICE_CIDR,
    readyTimeoutMs: values.SMOKE_READY_TIMEOUT_SECONDS,
    pullTimeoutMs: values.SMOKE_PULL_TIMEOUT_SECONDS,
    requestTimeoutMs: values.SMOKE_REQUEST_TIMEOUT_SECONDS,
    cleanupTimeoutMs: values.SMOKE_CLEANUP_TIMEOUT_SECONDS,
    evidencePath: values.SMOKE_EVIDENCE,
    junitPath: values.SMOKE_JUNIT ?? (isCI ? junitInCI : undefined),
  };
}

/**
 * Reads and checks the settings.
 * @param variables the environment, or any object of the same shape
 * @throws SettingsError that lists every wrong, missing or unknown setting
 */
export function readSettings(variables: Variables): Settings {
  const given = withoutEmpty(variables);
  const problems = unknownSettings(given);
  if (given["KUBECONFIG"] !== undefined && given["SMOKE_CONTEXT"] === undefined) {
    problems.push(
      `SMOKE_CONTEXT is not set. An exported KUBECONFIG is no consent to create things in its cluster: name the context to use, ` +
        `SMOKE_CONTEXT=<one of: kubectl config get-contexts -o name>, in .env or the environment.`,
    );
  }
  if (given["KUBECONFIG"] === undefined && given["SMOKE_CONTEXT"] !== undefined) {
    problems.push(`KUBECONFIG is not set, but SMOKE_CONTEXT names a context in it. Set both, or neither to use the lab.`);
  }
  problems.push(...kubeconfigProblems(given["KUBECONFIG"], given["SMOKE_CONTEXT"]));
  const result = z.object(table).safeParse(given);
  for (const issue of result.error?.issues ?? []) {
    const name = String(issue.path[0]);
    problems.push(`${name}=${JSON.stringify(given[name])}: ${issue.message}.`);
  }
  const isCI = given["CI"] !== undefined && given["CI"] !== "false";
  if (isCI && given["SMOKE_JUNIT"] === undefined) {
    const problem = fileProblem(junitInCI);
    if (problem !== undefined) problems.push(`SMOKE_JUNIT is not set, and where CI is, JUnit goes to ${junitInCI}: ${problem}. Set it.`);
  }
  if (result.data === undefined || problems.length > 0) throw new SettingsError(problems);
  return settingsOf(result.data, { isCI, agentSocket: given["SSH_AUTH_SOCK"] });
}
