/**
 * The EncryptionConfiguration of an API server: who writes Secrets, and with which keys they can be read. It holds keys, so that no message
 * here quotes it. https://kubernetes.io/docs/reference/config-api/apiserver-config.v1/
 */
import { parse, YAMLError } from "yaml";
import { z } from "zod";
import { decryptWith, type Key } from "./decryption.ts";
import { ConformanceError, InconclusiveError, reasonOf } from "./errors.ts";
import { classify, describe, type LocalProvider } from "./stored-value.ts";

/** What is wrong with an EncryptionConfiguration: one line, which names every field. */
export class EncryptionConfigurationError extends Error {
  override readonly name = "EncryptionConfigurationError";
}

/** A provider as the API server would take it. A `keyName` of KMS is the name of the plugin; identity, which does not encrypt, has none. */
type Provider =
  { provider: LocalProvider; keys: readonly Key[] } | { provider: "kms"; version: "v1" | "v2"; name: string } | { provider: "identity" };

/** Who encrypts what is written from now on: the first provider, with its first key. */
type Writer = { provider: Provider["provider"]; version: "v1" | "v2"; keyName: string };

export type EncryptionConfiguration = {
  /** The providers of a resource of the core group, in the order in which they are tried; none where the resource is not encrypted. */
  providersFor(resource: string): readonly Provider[];
  /** Who writes Secrets. */
  writer: Writer;
};

/**
 * Key lengths in bytes, and the sentences, as the API server has them:
 * k8s.io/apiserver/pkg/apis/apiserver/validation/validation_encryption.go
 */
const keyLengths: Record<LocalProvider, readonly number[]> = { aescbc: [16, 24, 32], aesgcm: [16, 24, 32], secretbox: [32] };

/** Go's decoder skips line breaks within base64, which YAML's block scalars leave there. */
const base64 = z
  .string()
  .transform((text) => text.replaceAll(/[\r\n]/g, ""))
  .pipe(z.base64("secrets must be base64 encoded"))
  .transform((text) => Buffer.from(text, "base64"));

const keysOf = (provider: LocalProvider) => {
  const secret = base64.superRefine(({ length }, context) => {
    const expected = keyLengths[provider];
    if (!expected.includes(length))
      context.addIssue(`secret is not of the expected length, got ${length}, expected one of [${expected.join(" ")}]`);
  });
  const key = z.strictObject({ name: z.string().min(1, "name is mandatory for a key"), secret });
  return z
    .strictObject({ keys: z.array(key).min(1, "at least one key is required") })
    .transform(({ keys }): Provider => ({ provider, keys }));
};

const kms = z
  .strictObject({
    // Left out, it is v1.
    apiVersion: z.enum(["v1", "v2"], "unsupported apiVersion for KMS provider, only v1 and v2 are supported").default("v1"),
    name: z.string().regex(/^[^:]+$/, "invalid KMS provider name, must not be empty or contain ':'"),
    endpoint: z.string(),
    cachesize: z.int().optional(),
    timeout: z.string().optional(),
  })
  .transform(({ apiVersion, name }): Provider => ({ provider: "kms", version: apiVersion, name }));

const identity = z.strictObject({}).transform((): Provider => ({ provider: "identity" }));

const provider = z
  .strictObject({ aescbc: keysOf("aescbc"), aesgcm: keysOf("aesgcm"), secretbox: keysOf("secretbox"), kms, identity })
  .partial()
  .transform((given, context) => {
    const [first, ...more] = Object.values(given).filter((value) => value !== undefined);
    if (first !== undefined && more.length === 0) return first;
    context.addIssue(`expected exactly one of aescbc, aesgcm, secretbox, kms, identity, got ${Object.keys(given).join(" and ") || "none"}`);
    return z.NEVER;
  });

const rule = z.strictObject({
  resources: z.array(z.string()).min(1, "at least one resource is required"),
  providers: z.array(provider).min(1, "at least one provider is required"),
});

/** EncryptionConfig of v1 stood in Kubernetes' documentation by mistake, and in guides after it; the API server takes it for the same. */
const kinds = ["EncryptionConfiguration of apiserver.config.k8s.io/v1", "EncryptionConfig of v1"];

const file = z
  .looseObject({ kind: z.string(), apiVersion: z.string() })
  .refine(({ kind, apiVersion }) => kinds.includes(`${kind} of ${apiVersion}`), {
    error: ({ input }) => {
      const { kind, apiVersion } = input as { kind: string; apiVersion: string };
      return `expected kind ${kinds.join(", or the old ")}, got ${kind} of ${apiVersion}`;
    },
    abort: true,
  })
  .pipe(z.strictObject({ kind: z.string(), apiVersion: z.string(), resources: z.array(rule).min(1, "at least one resource is required") }));

/**
 * Reads and checks an EncryptionConfiguration, as an API server does at its start.
 * @throws EncryptionConfigurationError, also when Secrets are not among its resources
 */
export function readEncryptionConfiguration(yamlText: string): EncryptionConfiguration {
  const { data, error } = file.safeParse(readYAML(yamlText));
  if (data === undefined) {
    throw new EncryptionConfigurationError(error.issues.map(({ path, message }) => `${fieldOf(path)}${message}`).join("; "));
  }
  const providersFor = (resource: string): readonly Provider[] => {
    // A rule for the resource itself goes before one for its group, and that before one for all; what one resource gets by several adds up.
    for (const names of [[resource, `${resource}.`], ["*."], ["*.*"]]) {
      const found = data.resources.filter(({ resources }) => resources.some((name) => names.includes(name)));
      if (found.length > 0) return found.flatMap(({ providers }) => providers);
    }
    return [];
  };
  const [first] = providersFor("secrets");
  if (first === undefined)
    throw new EncryptionConfigurationError("no entry of resources holds secrets, so that the API server does not encrypt them");
  return { providersFor, writer: writerOf(first) };
}

/** The parser's messages go on with the lines around the mistake, which may be keys: only the first line, with its place, is taken. */
function readYAML(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof YAMLError)) throw error;
    throw new EncryptionConfigurationError(`it is not YAML: ${reasonOf(error).replace(/:$/, "")}`);
  }
}

/** `resources[0].providers[0].aescbc.keys[0].secret: `, as the API server writes it; nothing for the whole. */
function fieldOf(path: readonly PropertyKey[]): string {
  const field = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`)).join("");
  return field === "" ? "" : `${field.slice(1)}: `;
}

function writerOf(first: Provider): Writer {
  if (first.provider === "kms") return { provider: "kms", version: first.version, keyName: first.name };
  return { provider: first.provider, version: "v1", keyName: first.provider === "identity" ? "" : (first.keys[0]?.name ?? "") };
}

/**
 * Decrypts a Secret's value of etcd as the API server would: with every provider and key that the value names, until one opens it.
 * @param etcdKey where the value stands: aesgcm authenticates it too
 * @throws ConformanceError when the configuration has no key for it, or the key does not open it
 * @throws InconclusiveError when a KMS has encrypted it
 */
export function decrypt(value: Buffer, etcdKey: string, configuration: EncryptionConfiguration): Buffer {
  const providers = configuration.providersFor("secrets");
  const keys = providers.flatMap((given) => ("keys" in given ? given.keys.map((key) => ({ ...key, provider: given.provider })) : []));
  const stored = classify(value, [...keys.map(({ name }) => name), ...providers.flatMap((given) => ("name" in given ? [given.name] : []))]);
  if (stored.kind === "kms") {
    throw new InconclusiveError(`not decryptable here: KMS. The value is ${describe(stored)}, and only that KMS can open it.`);
  }
  if (stored.kind === "plaintext" && providers.some((given) => given.provider === "identity")) return value;
  const fitting = keys.filter((key) => value.subarray(0, prefixOf(key).length).equals(prefixOf(key)));
  if (fitting.length === 0) {
    const known = keys.map(({ provider: name, name: keyName }) => `${name} "${keyName}"`).join(", ") || "none";
    throw new ConformanceError(
      `the EncryptionConfiguration has no key for it: the value is ${describe(stored)}; keys for secrets: ${known}.`,
    );
  }
  const refusals: string[] = [];
  for (const key of fitting) {
    try {
      return decryptWith(key, value.subarray(prefixOf(key).length), etcdKey);
    } catch (error) {
      refusals.push(`${key.provider} key "${key.name}" does not open it: ${reasonOf(error)}`);
    }
  }
  throw new ConformanceError(`${refusals.join("; ")}.`);
}

function prefixOf({ provider: name, name: keyName }: { provider: LocalProvider; name: string }): Buffer {
  return Buffer.from(`k8s:enc:${name}:v1:${keyName}:`);
}
