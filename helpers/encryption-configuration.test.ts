import { createCipheriv, randomBytes, type CipherGCMTypes } from "node:crypto";
import { xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { decrypt, EncryptionConfigurationError, readEncryptionConfiguration } from "./encryption-configuration.ts";
import { ConformanceError, InconclusiveError } from "./errors.ts";
import { encrypted, encryptionKey, etcdKey, plaintext } from "./golden-secret.ts";
import { localProviders, type LocalProvider } from "./stored-value.ts";

type Rule = { resources: string[]; providers: object[] };
const written = (rules: Rule[], type: object = { kind: "EncryptionConfiguration", apiVersion: "apiserver.config.k8s.io/v1" }): string =>
  stringify({ ...type, resources: rules });
const keyed = (provider: string, name: string, secret: Buffer): object => ({
  [provider]: { keys: [{ name, secret: secret.toString("base64") }] },
});
const forSecrets = (...providers: object[]) => readEncryptionConfiguration(written([{ resources: ["secrets"], providers }]));
const identity = { identity: {} };
const kms = { kms: { apiVersion: "v2", name: "vault", endpoint: "unix:///run/kms.sock", timeout: "3s" } };

/** The API server's side, written here once more: only the cipher libraries are the same. */
const encryptors: Record<LocalProvider, (plain: Buffer, secret: Buffer, key: string) => Buffer> = {
  aescbc: (plain, secret) => {
    const iv = randomBytes(16);
    const cipher = createCipheriv(`aes-${8 * secret.length}-cbc`, secret, iv);
    return Buffer.concat([iv, cipher.update(plain), cipher.final()]);
  },
  aesgcm: (plain, secret, key) => {
    const nonce = randomBytes(12);
    const cipher = createCipheriv(`aes-${8 * secret.length}-gcm` as CipherGCMTypes, secret, nonce).setAAD(Buffer.from(key));
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  },
  secretbox: (plain, secret) => {
    const nonce = randomBytes(24);
    return Buffer.concat([nonce, xsalsa20poly1305(secret, nonce).encrypt(plain)]);
  },
};
const encrypt = (provider: LocalProvider, name: string, secret: Buffer, plain = plaintext, key = etcdKey): Buffer =>
  Buffer.concat([Buffer.from(`k8s:enc:${provider}:v1:${name}:`), encryptors[provider](plain, secret, key)]);

/** The sentence of the refusal. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  return "it was not refused";
}

test("the golden value decrypts to the golden plaintext", () => {
  expect(decrypt(encrypted, etcdKey, forSecrets(keyed("aescbc", "key1", encryptionKey), identity))).toEqual(plaintext);
});

test.for([
  ["the chapter's", [keyed("aescbc", "key1", encryptionKey), identity], { provider: "aescbc", version: "v1", keyName: "key1" }],
  ["identity first", [identity, keyed("aescbc", "key1", encryptionKey)], { provider: "identity", version: "v1", keyName: "" }],
  ["KMS v2", [kms, identity], { provider: "kms", version: "v2", keyName: "vault" }],
  ["KMS of no version", [{ kms: { name: "vault", endpoint: "unix:///a" } }], { provider: "kms", version: "v1", keyName: "vault" }],
] as const)("the first provider writes: %s", ([, providers, writer]) => {
  expect(forSecrets(...providers).writer).toEqual(writer);
});

test("the old EncryptionConfig of v1 is taken for the same", () => {
  const rules = [{ resources: ["secrets"], providers: [keyed("secretbox", "key1", encryptionKey)] }];
  expect(readEncryptionConfiguration(written(rules, { kind: "EncryptionConfig", apiVersion: "v1" })).writer.provider).toBe("secretbox");
});

const named = (name: string, ...resources: string[]): Rule => ({ resources, providers: [keyed("aescbc", name, encryptionKey)] });

test.for([
  ["its own rule", [named("a", "configmaps"), named("b", "secrets")], ["b"]],
  ["one of several resources", [named("a", "configmaps", "secrets")], ["a"]],
  ["its own rule before a wildcard", [named("a", "secrets"), named("b", "*."), named("c", "*.*")], ["a"]],
  ["its group before all groups", [named("a", "*."), named("b", "*.*")], ["a"]],
  ["all resources", [named("a", "configmaps"), named("b", "*.*")], ["b"]],
  ["all of its rules, in order", [named("a", "secrets"), named("b", "secrets")], ["a", "b"]],
] as const)("secrets are encrypted by %s", ([, rules, names]) => {
  const configuration = readEncryptionConfiguration(written([...rules]));
  expect(configuration.providersFor("secrets").flatMap((given) => ("keys" in given ? given.keys.map(({ name }) => name) : []))).toEqual(
    names,
  );
  expect(configuration.writer.keyName).toBe(names[0]);
});

const aKey = keyed("aescbc", "key1", encryptionKey);
const rulesWith = (...providers: object[]): string => written([{ resources: ["secrets"], providers }]);

test.for([
  ["another resource alone", written([named("a", "configmaps", "*.apps", "secrets.example.com")]), "no entry of resources holds secrets"],
  [
    "another kind",
    written([named("a", "secrets")], { kind: "Config", apiVersion: "v1" }),
    "expected kind EncryptionConfiguration of apiserver.config.k8s.io/v1, or the old EncryptionConfig of v1, got Config of v1",
  ],
  [
    "the old kind of the new version",
    written([], { kind: "EncryptionConfig", apiVersion: "apiserver.config.k8s.io/v1" }),
    "or the old EncryptionConfig of v1, got EncryptionConfig of apiserver.config.k8s.io/v1",
  ],
  ["nothing", "", "expected object"],
  ["no YAML", "kind: [", "it is not YAML: "],
  ["no resources", written([]), "resources: at least one resource is required"],
  ["no providers", rulesWith(), "resources[0].providers: at least one provider is required"],
  [
    "an empty provider",
    rulesWith({}),
    "resources[0].providers[0]: expected exactly one of aescbc, aesgcm, secretbox, kms, identity, got none",
  ],
  ["two providers in one", rulesWith({ ...aKey, ...identity }), "got aescbc and identity"],
  ["an unknown provider", rulesWith({ rot13: {} }), 'resources[0].providers[0]: Unrecognized key: "rot13"'],
  ["no keys", rulesWith({ aescbc: { keys: [] } }), "resources[0].providers[0].aescbc.keys: at least one key is required"],
  ["a key without name", rulesWith(keyed("aescbc", "", encryptionKey)), "aescbc.keys[0].name: name is mandatory for a key"],
  [
    "a short key",
    rulesWith(keyed("aescbc", "key1", randomBytes(8))),
    "resources[0].providers[0].aescbc.keys[0].secret: secret is not of the expected length, got 8, expected one of [16 24 32]",
  ],
  [
    "an AES key for secretbox",
    rulesWith(keyed("secretbox", "key1", randomBytes(16))),
    "secretbox.keys[0].secret: secret is not of the expected length, got 16, expected one of [32]",
  ],
  [
    "a variable that was not filled in",
    rulesWith({ aescbc: { keys: [{ name: "key1", secret: "${ENCRYPTION_KEY}" }] } }),
    "secrets must be base64 encoded",
  ],
  ["a KMS with a colon", rulesWith({ kms: { ...kms.kms, name: "a:b" } }), "kms.name: invalid KMS provider name"],
] as const)("a configuration is refused: %s", ([, text, expected]) => {
  expect(() => readEncryptionConfiguration(text)).toThrow(EncryptionConfigurationError);
  expect(() => readEncryptionConfiguration(text)).toThrow(expected);
});

test("all that is wrong is said at once, in one line, and no key is shown", () => {
  const secret = "c2VjcmV0LXNlY3JldA==";
  const message = refusal(() =>
    readEncryptionConfiguration(rulesWith({ aescbc: { keys: [{ name: "", secret }] } }, { secretbox: { keys: [{ name: "a", secret }] } })),
  );
  expect(message).toMatch(/name is mandatory.*; .*providers\[0\].*got 13.*; .*providers\[1\].*got 13/);
  expect(message).not.toMatch(/c2Vj|\n/);
  const broken = refusal(() => readEncryptionConfiguration(`kind: a\n secret: ${secret}\n: [`));
  expect(broken).toMatch(/^it is not YAML: .* at line \d+, column \d+$/);
});

test("line breaks within a key are skipped, as Go does", () => {
  const text = encryptionKey.toString("base64");
  const configuration = forSecrets({ aescbc: { keys: [{ name: "key1", secret: `${text.slice(0, 20)}\n${text.slice(20)}\n` }] } });
  expect(decrypt(encrypted, etcdKey, configuration)).toEqual(plaintext);
});

const secretLengths = { aescbc: [16, 24, 32], aesgcm: [16, 24, 32], secretbox: [32] } as const;

test.for(localProviders)("what %s encrypts decrypts, with any key, name and length", (provider) => {
  fc.assert(
    fc.property(
      fc.constantFrom(...secretLengths[provider]).chain((length) => fc.uint8Array({ minLength: length, maxLength: length })),
      fc.constantFrom("key1", "aescbckey-2021-12-10T22:54:38Z", "schlüssel"),
      fc.uint8Array({ maxLength: 100 }),
      (bytes, name, rest) => {
        const secret = Buffer.from(bytes);
        const plain = Buffer.concat([Buffer.from("k8s\0"), rest]);
        const value = encrypt(provider, name, secret, plain);
        expect(decrypt(value, etcdKey, forSecrets(keyed(provider, name, secret), identity)).equals(plain)).toBe(true);
      },
    ),
    { numRuns: 60 },
  );
});

test.for(localProviders)("another key of the same name does not open what %s has encrypted", (provider) => {
  const value = encrypt(provider, "key1", encryptionKey);
  for (let count = 0; count < 600; count += 1) {
    expect(() => decrypt(value, etcdKey, forSecretsOnce(provider, randomBytes(32)))).toThrow(ConformanceError);
  }
});

/** The configuration as it is read, without YAML and zod: 600 of them in no time. */
const forSecretsOnce = (provider: LocalProvider, secret: Buffer) => ({
  providersFor: () => [{ provider, keys: [{ name: "key1", secret }] }],
  writer: { provider, version: "v1", keyName: "key1" } as const,
});

test("what does not fit is told apart", () => {
  const other = Buffer.alloc(32, 1);
  const why = (value: Buffer, ...providers: object[]): string => refusal(() => decrypt(value, etcdKey, forSecrets(...providers)));
  expect(why(encrypted, keyed("aescbc", "key1", other))).toMatch(
    /^aescbc key "key1" does not open it: its padding is wrong: the key is another one/,
  );
  expect(why(encrypt("aesgcm", "key1", other), keyed("aesgcm", "key1", encryptionKey))).toMatch(
    /^aesgcm key "key1" does not open it: it fails authentication/,
  );
  expect(why(encrypt("secretbox", "key1", other), keyed("secretbox", "key1", encryptionKey))).toMatch(
    /^secretbox key "key1" .* it fails authentication/,
  );
  // The padding is right here: that the plaintext is no object is all that shows it.
  expect(why(encrypt("aescbc", "key1", encryptionKey, randomBytes(40)), aKey)).toContain("what comes out is no object of Kubernetes");
  expect(why(encrypt("aescbc", "key1", encryptionKey, Buffer.from("{garbage")), aKey)).toContain(
    "what comes out is no object of Kubernetes",
  );
  expect(why(encrypted.subarray(0, -1), aKey)).toContain("the payload of aescbc has 159 bytes, expected at least 32 and a multiple of 16");
  expect(why(encrypt("aesgcm", "key1", encryptionKey).subarray(0, 40), keyed("aesgcm", "key1", encryptionKey))).toContain(
    "the payload of aesgcm has 17 bytes",
  );
  expect(why(encrypted, keyed("aescbc", "key2", encryptionKey))).toContain(
    'has no key for it: the value is encrypted by aescbc with the key "key1", which is not',
  );
  expect(why(encrypted, keyed("aesgcm", "key1", encryptionKey))).toContain('keys for secrets: aesgcm "key1"');
  expect(why(encrypted, identity)).toContain("keys for secrets: none");
  expect(why(Buffer.alloc(0), aKey)).toContain("the value is empty");
});

test("aesgcm opens a value only at its own key of etcd", () => {
  const configuration = forSecrets(keyed("aesgcm", "key1", encryptionKey));
  const value = encrypt("aesgcm", "key1", encryptionKey);
  expect(decrypt(value, etcdKey, configuration)).toEqual(plaintext);
  expect(() => decrypt(value, `${etcdKey}-2`, configuration)).toThrow("it fails authentication");
});

test.for(localProviders)("no bit of what %s has encrypted can be flipped unseen", (provider) => {
  const value = encrypt(provider, "key1", encryptionKey);
  const payloadStart = `k8s:enc:${provider}:v1:key1:`.length;
  for (let index = payloadStart; index < value.length; index += 1) {
    const changed = Buffer.from(value);
    changed[index] = (changed[index] as number) ^ (1 << (index % 8));
    const opened = openedOrRefused(changed, forSecretsOnce(provider, encryptionKey));
    // aescbc authenticates nothing: it may open, but to something else.
    if (provider === "aescbc") expect(opened?.equals(plaintext) ?? false, `byte ${index}`).toBe(false);
    else expect(opened, `byte ${index}`).toBeUndefined();
  }
});

function openedOrRefused(value: Buffer, configuration: ReturnType<typeof forSecretsOnce>): Buffer | undefined {
  try {
    return decrypt(value, etcdKey, configuration);
  } catch (error) {
    expect(error).toBeInstanceOf(ConformanceError);
    return undefined;
  }
}

test("older keys open what they have written, also with two of one name", () => {
  const old = Buffer.alloc(32, 7);
  expect(decrypt(encrypted, etcdKey, forSecrets(keyed("aescbc", "key2", old), keyed("aescbc", "key1", encryptionKey)))).toEqual(plaintext);
  expect(decrypt(encrypted, etcdKey, forSecrets(keyed("aescbc", "key1", old), keyed("aescbc", "key1", encryptionKey)))).toEqual(plaintext);
  expect(
    decrypt(encrypt("aescbc", "a:b", old), etcdKey, forSecrets(keyed("aescbc", "a", encryptionKey), keyed("aescbc", "a:b", old))),
  ).toEqual(plaintext);
});

test("plaintext is read where identity is among the providers, and nowhere else", () => {
  expect(decrypt(plaintext, etcdKey, forSecrets(aKey, identity))).toEqual(plaintext);
  expect(() => decrypt(plaintext, etcdKey, forSecrets(aKey))).toThrow(
    "the value is plaintext protobuf (k8s\\0): the API server did not encrypt it",
  );
});

test("what a KMS has encrypted cannot be judged here", () => {
  const value = Buffer.concat([Buffer.from("k8s:enc:kms:v2:vault:"), Buffer.alloc(60)]);
  expect(() => decrypt(value, etcdKey, forSecrets(kms))).toThrow(InconclusiveError);
  expect(() => decrypt(value, etcdKey, forSecrets(kms))).toThrow(
    'not decryptable here: KMS. The value is encrypted by KMS v2 with the key "vault"',
  );
});
