import { expect, test } from "vitest";
import { startTestAPI, statusBody, type TestAPI } from "./kubernetes-test-server.ts";

type Refusal = { code?: number; retryAfter?: string; times?: number };

/** A server that refuses the first requests, and what it has heard. */
async function refusing({ code = 429, retryAfter, times = Infinity }: Refusal): Promise<{ api: TestAPI; heard: string[] }> {
  const heard: string[] = [];
  const api = await startTestAPI({
    answer: ({ method }, body, response) => {
      heard.push(`${method} ${body}`);
      if (heard.length > times) return { code: 201, body: { kind: "Pod" } };
      if (retryAfter !== undefined) response.setHeader("retry-after", retryAfter);
      return statusBody(code, "Refused", "please try again later");
    },
  });
  return { api, heard };
}

test("what a busy server turns away is sent again, as it was, when it says so", async () => {
  const { api, heard } = await refusing({ retryAfter: "1", times: 1 });
  await using _ = api;
  const began = Date.now();

  expect(await api.client.create("/pods", { kind: "Pod" })).toEqual({ kind: "Pod" });
  expect(heard).toEqual(['POST {"kind":"Pod"}', 'POST {"kind":"Pod"}']);
  expect(Date.now() - began).toBeGreaterThanOrEqual(1_000);
});

test("a server that stays busy is believed in the end", async () => {
  const { api, heard } = await refusing({ retryAfter: "0" });
  await using _ = api;

  await expect(api.client.get("/pods")).rejects.toMatchObject({
    code: 429,
    message: expect.stringMatching(/answered 429: please try again/),
  });
  expect(heard).toHaveLength(4);
});

test.for([
  ["asks for more time than the request has", { retryAfter: "10" }],
  ["does not say when to come again", {}],
  ["names a date", { retryAfter: "Fri, 27 Nov 2026 22:00:00 GMT" }],
  ["has failed, whatever it asks for", { code: 500, retryAfter: "0" }],
  ["is unavailable, whatever it asks for", { code: 503, retryAfter: "0" }],
] as const)("a server that %s is asked once", async ([_what, refusal]) => {
  const { api, heard } = await refusing(refusal);
  await using _ = api;
  const began = Date.now();

  await expect(api.client.get("/pods")).rejects.toMatchObject({ code: "code" in refusal ? refusal.code : 429 });
  expect(heard).toHaveLength(1);
  expect(Date.now() - began).toBeLessThan(1_000);
});

test("whoever calls the request off does not wait for a busy server", async () => {
  const { api } = await refusing({ retryAfter: "5" });
  await using _ = api;

  await expect(api.client.get("/pods", { signal: AbortSignal.timeout(100) })).rejects.toThrow("GET /pods was not answered: called off");
});
