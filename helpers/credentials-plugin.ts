/**
 * Users whose credentials come from a program or an identity provider. @kubernetes/client-node knows how to ask them; importing it costs
 * 0.6 s and 90 MB, so nothing of it is loaded before such a user is met.
 */
import { dirname, resolve } from "node:path";
import { reasonOf, SettingsError } from "./errors.ts";
import type { Entry, User } from "./kubeconfig-file.ts";

export type PluginCredentials = { authorization?: string | undefined; cert?: string | undefined; key?: string | undefined };

/** A plugin may open a browser for its user to log in; a run cannot wait for that for long. */
const answerTimeoutMs = 30_000;

/** Whether the credentials of a user come from a program, or from a provider that kubectl once had built in. */
export const usesPlugin = (user: User): boolean => (user.exec ?? user["auth-provider"] ?? undefined) !== undefined;

/** Returns a function that asks the plugin, or gives its last answer while that is valid; it throws SettingsError when the plugin fails. */
export async function openPlugin(name: string, { path, is: user }: Entry<User>): Promise<() => Promise<PluginCredentials>> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  // Of the library's own reading and merging of files nothing is used: it differs from kubectl's. The server is none that it connects to.
  config.loadFromString(
    JSON.stringify({
      clusters: [{ name, cluster: { server: "https://localhost" } }],
      users: [{ name, user: { ...user, ...(user.exec && { exec: { ...user.exec, command: commandOf(user.exec.command, path) } }) } }],
      contexts: [{ name, context: { cluster: name, user: name } }],
      "current-context": name,
    }),
  );
  return async () => {
    const options: { headers: Record<string, string>; cert?: string; key?: string } = { headers: {} };
    try {
      await withinTime(config.applyToHTTPSOptions(options));
    } catch (error) {
      throw new SettingsError([`KUBECONFIG: ${path}: the credentials plugin of user "${name}" failed: ${reasonOf(error).trim()}`]);
    }
    return { authorization: options.headers["Authorization"], cert: options.cert, key: options.key };
  };
}

/** A command with a slash is relative to its file's folder; one without is looked for in PATH. */
const commandOf = (command: string, path: string): string => (command.includes("/") ? resolve(dirname(path), command) : command);

async function withinTime(answer: Promise<void>): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`it has not answered within ${answerTimeoutMs / 1000} s. Does it wait for a login?`)),
    answerTimeoutMs,
  );
  await Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
