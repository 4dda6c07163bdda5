/**
 * The files of KUBECONFIG, merged as kubectl merges them: the first file that defines a name wins, files that are missing are passed over.
 * https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
 */
import { existsSync, readFileSync } from "node:fs";
import { delimiter } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { reasonOf, SettingsError } from "./errors.ts";

const text = z.string().nullish();
const cluster = z.looseObject({
  server: text,
  "certificate-authority": text,
  "certificate-authority-data": text,
  "insecure-skip-tls-verify": z.boolean().nullish(),
  "tls-server-name": text,
  "proxy-url": text,
});
const user = z.looseObject({
  "client-certificate": text,
  "client-certificate-data": text,
  "client-key": text,
  "client-key-data": text,
  token: text,
  tokenFile: text,
  username: text,
  password: text,
  as: text,
  exec: z.looseObject({ command: z.string() }).nullish(),
  "auth-provider": z.looseObject({}).nullish(),
});
const context = z.looseObject({ cluster: text, user: text });
const file = z.looseObject({
  clusters: z.array(z.looseObject({ name: z.string(), cluster: cluster.nullish() })).nullish(),
  users: z.array(z.looseObject({ name: z.string(), user: user.nullish() })).nullish(),
  contexts: z.array(z.looseObject({ name: z.string(), context: context.nullish() })).nullish(),
});

export type Cluster = z.infer<typeof cluster>;
export type User = z.infer<typeof user>;
type Context = z.infer<typeof context>;

/** What a file says of a name, and which file that is: its relative paths start from that file's folder. */
export type Entry<Kind> = { path: string; is: Kind };

export type Kubeconfig = { clusters: Map<string, Entry<Cluster>>; users: Map<string, Entry<User>>; contexts: Map<string, Entry<Context>> };

/**
 * @param kubeconfig the value of KUBECONFIG: one path, or several as in PATH
 * @throws SettingsError when there is no file at all, or one that is not a kubeconfig
 */
export function readKubeconfig(kubeconfig: string): Kubeconfig {
  const paths = kubeconfig.split(delimiter).filter((path) => path !== "");
  const present = paths.filter((path) => existsSync(path));
  if (present.length === 0) throw new SettingsError([`KUBECONFIG=${kubeconfig}: no such file.`]);
  const merged: Kubeconfig = { clusters: new Map(), users: new Map(), contexts: new Map() };
  for (const path of present) {
    const { clusters, users, contexts } = readFile(path);
    for (const { name, cluster: is } of clusters ?? []) addFirst(merged.clusters, name, { path, is: is ?? {} });
    for (const { name, user: is } of users ?? []) addFirst(merged.users, name, { path, is: is ?? {} });
    for (const { name, context: is } of contexts ?? []) addFirst(merged.contexts, name, { path, is: is ?? {} });
  }
  return merged;
}

function addFirst<Kind>(entries: Map<string, Kind>, name: string, entry: Kind): void {
  if (!entries.has(name)) entries.set(name, entry);
}

function readFile(path: string): z.infer<typeof file> {
  try {
    return file.parse(parse(readFileSync(path, "utf8")) ?? {});
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error);
    throw new SettingsError([`KUBECONFIG: ${path} is not a kubeconfig: ${reason}`]);
  }
}
