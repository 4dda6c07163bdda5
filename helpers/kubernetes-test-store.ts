/**
 * For tests: objects that an API server keeps, with the few of its rules that creating and deleting hang on: names are taken once, a
 * precondition of another UID is a conflict, and a label selector is obeyed.
 */
import type { Http2ServerRequest } from "node:http2";
import { type Answer, statusBody } from "./kubernetes-test-server.ts";

type Metadata = { name: string; uid: string; labels?: Record<string, string>; deletionTimestamp?: string };
type StoredObject = { metadata: Metadata; [field: string]: unknown };

export type TestStore = {
  /** By the path under which each is served. */
  objects: Map<string, StoredObject>;
  /** Keeps an object; what it does not say of name and UID follows from its path. */
  put: (path: string, content: object) => StoredObject;
  /** What has been asked: method and path, in order. */
  requests: string[];
  /** The `answer` of a test API. */
  answer: (request: Pick<Http2ServerRequest, "method" | "url">, body: string) => Answer;
};

const plurals =
  /^(.*)\/(namespaces|nodes|deployments|replicasets|services|endpointslices|secrets|configmaps|pods|events|leases|servicecidrs)$/;

/** @param initial objects by their paths */
export function newTestStore(initial: Readonly<Record<string, object>> = {}): TestStore {
  const objects = new Map<string, StoredObject>();
  const put = (path: string, content: object): StoredObject => {
    const given = content as Partial<StoredObject>;
    const object = { ...given, metadata: { name: path.split("/").at(-1) ?? "", uid: `uid of ${path}`, ...given.metadata } };
    objects.set(path, object);
    return object;
  };
  for (const [path, content] of Object.entries(initial)) put(path, content);
  const requests: string[] = [];
  const answer: TestStore["answer"] = ({ method, url }, body) => {
    const { pathname: path, searchParams } = new URL(url, "https://store");
    requests.push(`${method} ${path}`);
    const content = (body === "" ? {} : JSON.parse(body)) as StoredObject & { preconditions?: { uid?: string } };
    if (plurals.test(path) && method === "GET") return ok({ items: listed(objects, path, searchParams.get("labelSelector")) });
    if (method === "POST") {
      const created = `${path}/${content.metadata.name}`;
      return objects.has(created) ? statusBody(409, "AlreadyExists", `${created} already exists`) : ok(put(created, content));
    }
    const target = path.replace(/\/scale$/, "");
    const object = objects.get(target);
    if (object === undefined) return statusBody(404, "NotFound", `${target} not found`);
    if (method === "PATCH") return ok(put(target, { ...object, spec: { ...(object["spec"] as object), ...(content["spec"] as object) } }));
    if (method !== "DELETE") return ok(object);
    const uid = content.preconditions?.uid;
    if (uid !== undefined && uid !== object.metadata.uid)
      return statusBody(409, "Conflict", `the UID in the precondition (${uid}) does not match`);
    objects.delete(target);
    return ok(object);
  };
  return { objects, put, requests, answer };
}

const ok = (body: object): Answer => ({ code: 200, body });

/** The objects of a collection, in one namespace or in all, that have every label of a selector such as `a=1,b=2`. */
function listed(objects: ReadonlyMap<string, StoredObject>, path: string, selector: string | null): StoredObject[] {
  const [, base = "", plural = ""] = plurals.exec(path) ?? [];
  const wanted = (selector ?? "")
    .split(",")
    .filter(Boolean)
    .map((term) => term.split("="));
  const found = [...objects].filter(([place]) => {
    const rest = place.startsWith(`${base}/`) ? place.slice(base.length) : "";
    return new RegExp(`^(/namespaces/[^/]+)?/${plural}/[^/]+$`).test(rest);
  });
  return found
    .map(([, object]) => object)
    .filter(({ metadata: { labels } }) => wanted.every(([name, value]) => labels?.[name as string] === value));
}
