import { beginningOf, classify, expect, findTraces, structureProblem, test } from "../fixtures/index.ts";

test("secret-read-back: a Secret reads back through the API as it was written", async ({ secret, byHand }) => {
  byHand(
    `kubectl -n ${secret.namespace} get secret ${secret.name} -o jsonpath='{.data.mykey}' | base64 -d`,
    "kubectl get mutatingadmissionpolicies,mutatingwebhookconfigurations",
  );

  const read = await secret.readBack();

  expect(read, `Secret ${secret.namespace}/${secret.name}, decoded`).toEqual(secret.data);
});

// The API server decrypts what it serves, so only the bytes in etcd show how a Secret is stored.
test("secret-encrypted: etcd holds the Secret once, encrypted by the expected provider and key", async ({
  secret,
  etcd,
  storedEntries,
  encryption,
  byHand,
}) => {
  byHand(etcd.byHand(secret.key));

  const keys = storedEntries.map(({ key }) => key);
  const value = storedEntries[0]?.value ?? Buffer.of();

  expect(keys, `${etcd.host}: keys in etcd for ${secret.key}`).toEqual([secret.key]);
  expect(beginningOf(value, encryption.prefix), `${etcd.host}: how the value of ${secret.key} begins`).toBe(encryption.prefix);
  const problem = structureProblem(classify(value, [encryption.keyName]));
  expect(problem, `${etcd.host}: what is wrong with the payload of ${secret.key}`).toBeUndefined();
});

test("secret-no-plaintext: neither the key nor the data of the Secret shows in etcd", async ({ secret, storedSecret, byHand }) => {
  byHand(storedSecret.byHand);

  const traces = findTraces(storedSecret.value, { "the key mykey": "mykey", ...secret.data });

  expect(traces, `${storedSecret.where}: traces of the Secret, raw, in base64 or in hex`).toEqual([]);
});

// A prefix can be there with any bytes behind it. That the intended key opens them, to the Secret just written, is the proof.
test("secret-decrypts: what etcd holds decrypts with the given EncryptionConfiguration to the Secret", async ({
  secret,
  storedSecret,
  encryption,
  skip,
  byHand,
}) => {
  if (encryption.cannotDecrypt !== undefined) return skip(encryption.cannotDecrypt);
  byHand(storedSecret.byHand);

  const decrypted = encryption.decryptSecret(storedSecret.value, secret.key);

  expect(decrypted, `${storedSecret.where}, decrypted with ${encryption.configurationPath}`).toEqual(secret.data);
});

test(
  "secret-deleted: once the Secret is deleted, its key is gone from etcd",
  { concurrent: false },
  async ({ secret, storedSecret, etcd, byHand }) => {
    byHand(storedSecret.byHand);

    await secret.remove();
    const entries = await etcd.entries(secret.key);

    expect(
      entries.map(({ key }) => key),
      `${storedSecret.where}: what is left of it after the deletion`,
    ).toEqual([]);
  },
);
