import { expect, test } from "vitest";
import { ApiRefusal, ApiServerError, ApiTimeout, isForbidden, isNotFound, refusalOf, statusOf } from "./api-errors.ts";
import { ConformanceError, InconclusiveError } from "./errors.ts";
import type { ClusterAccess } from "./kubeconfig.ts";
import { newCertificate } from "./test-certificates.ts";

const access: ClusterAccess = {
  contextName: "lab",
  clusterName: "lab",
  userName: "admin",
  server: "https://192.0.2.10:6443",
  tls: { rejectUnauthorized: true },
  authorization: async () => undefined,
};
/** Of the user `admin`, valid for the first day of 2001. */
const expired = `-----BEGIN CERTIFICATE-----
MIIBBjCBrgIBATAKBggqhkjOPQQDAjAQMQ4wDAYDVQQDDAVhZG1pbjAeFw0wMTAx
MDEwMDAwMDBaFw0wMTAxMDIwMDAwMDBaMBAxDjAMBgNVBAMMBWFkbWluMFkwEwYH
KoZIzj0CAQYIKoZIzj0DAQcDQgAE9x3wyvpSUbF9ARVv59cvTBj7H7TszsE/b6/t
GSYF31SLR7gtHmRK3V4h0O91oL9OjtBJn7t/SP353TSKkeBbnjAKBggqhkjOPQQD
AgNHADBEAiBMkHe4V4catRE2m1Yq+AYPFppQ9XAu0bRenxQWeAP7twIgXB/GFpFs
+sq7JbSnZjVHUp4lcR6lZo5MCjJir2nFwi0=
-----END CERTIFICATE-----`;
const body = (reason: string, message: string) => JSON.stringify({ kind: "Status", status: "Failure", reason, message });
const asked = "GET /api/v1/nodes";

test("an answer of 5xx is the cluster's fault, one below it is a refusal", () => {
  const fault = refusalOf(access, asked, 500, body("InternalError", "etcdserver: request timed out"));
  expect(fault).toBeInstanceOf(ApiServerError);
  expect(fault).toBeInstanceOf(ConformanceError);
  expect(fault).toMatchObject({ code: 500, reason: "InternalError", status: { message: "etcdserver: request timed out" } });
  expect(fault.message).toBe("API server https://192.0.2.10:6443: GET /api/v1/nodes answered 500: etcdserver: request timed out");

  const refusal = refusalOf(access, asked, 499, body("Gone", "closed"));
  expect(refusal).toBeInstanceOf(ApiRefusal);
  expect(refusal).toBeInstanceOf(InconclusiveError);
  expect(refusal).toMatchObject({ code: 499, reason: "Gone" });
});

test("an answer without a word says so", () => {
  expect(refusalOf(access, asked, 503, " \n").message).toMatch(/answered 503: without a word$/);
});

test("for a 401 the dates of the client certificate tell more than the server does", () => {
  const { cert } = newCertificate({ commonName: "admin" });
  const withCertificate = { ...access, tls: { ...access.tls, cert } };
  expect(refusalOf(withCertificate, asked, 401, body("Unauthorized", "Unauthorized")).message).toMatch(
    /answered 401: Unauthorized\. Are the kubeconfig's credentials of this cluster/,
  );

  expect(refusalOf({ ...access, tls: { ...access.tls, cert: expired } }, asked, 401, body("Unauthorized", "Unauthorized")).message).toMatch(
    /answered 401: the client certificate of user "admin" has expired on .* 2001 GMT$/,
  );
  expect(refusalOf({ ...access, tls: { ...access.tls, cert: expired } }, asked, 403, body("Forbidden", "no")).message).toMatch(
    /answered 403: no$/,
  );
});

test("refusals are told apart by code", () => {
  const looks = [isNotFound, isForbidden];
  const seen = (error: unknown) => looks.map((look) => look(error));
  expect(seen(refusalOf(access, asked, 404, ""))).toEqual([true, false]);
  expect(seen(refusalOf(access, asked, 403, ""))).toEqual([false, true]);
  expect(seen(refusalOf(access, asked, 409, body("Conflict", "")))).toEqual([false, false]);
  expect(seen(new ApiTimeout("no answer"))).toEqual([false, false]);
  expect(seen({ code: 404, reason: "NotFound" })).toEqual([false, false]);
});

test("a Status is read as it is, and whatever else came becomes its message", () => {
  const details = { causes: [{ reason: "FieldValueInvalid", message: "too long" }] };
  expect(statusOf(JSON.stringify({ status: "Failure", details }))).toEqual({ status: "Failure", details });
  expect(statusOf("  Unauthorized\n")).toEqual({ message: "Unauthorized" });
  expect(statusOf('"quoted"')).toEqual({ message: '"quoted"' });
  expect(statusOf("null")).toEqual({ message: "null" });
  expect(statusOf("")).toEqual({});
  expect(statusOf("x".repeat(1_000)).message).toHaveLength(300);
});

test("a right that is lacking is told with where the rights are written, a policy's refusal in its own words", () => {
  const lacking = refusalOf(access, asked, 403, body("Forbidden", 'nodes is forbidden: User "eve" cannot list resource "nodes"'));
  const refused = refusalOf(access, asked, 403, body("Forbidden", 'pods "nginx" is forbidden: exceeded quota: none'));

  expect(lacking.message).toMatch(/cannot list resource "nodes"\. The rights that the suite needs are in docs\/rbac\.yaml\.$/);
  expect(refused.message).toMatch(/exceeded quota: none$/);
});
