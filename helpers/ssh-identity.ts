/**
 * Whom we say we are: the keys that are offered to sshd, in the order in which they are tried.
 */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import ssh2, { type AgentAuthMethod, type ParsedKey, type PublicKeyAuthMethod } from "ssh2";
import { InconclusiveError, reasonOf } from "./errors.ts";

export type Identity = {
  methods: (PublicKeyAuthMethod | AgentAuthMethod)[];
  /** For messages: `key /root/.ssh/id_ed25519, agent /tmp/agent.sock`. */
  described: string;
};

type Wanted = { user: string; privateKeyPath?: string | undefined; agentSocket?: string | undefined };

/** The files that ssh itself tries when it is told of none. FIDO keys are left out, as our client cannot use them. */
const defaultKeyNames = ["id_ed25519", "id_ecdsa", "id_rsa"];

/**
 * The key file that is named; without one, the agent and the default keys. The agent also serves for a named key that is encrypted.
 * @throws InconclusiveError when there is nothing to offer
 */
export function identityOf({ user, privateKeyPath, agentSocket }: Wanted, folder = join(homedir(), ".ssh")): Identity {
  const agent: AgentAuthMethod[] = agentSocket === undefined ? [] : [{ type: "agent", username: user, agent: agentSocket }];
  const offer = (key: ParsedKey): PublicKeyAuthMethod => ({ type: "publickey", username: user, key });
  if (privateKeyPath !== undefined) {
    const key = readPrivateKey(privateKeyPath);
    if (typeof key !== "string") return { methods: [offer(key)], described: `key ${privateKeyPath}` };
    if (key !== encrypted || agentSocket === undefined) throw unusable(privateKeyPath, key);
    return { methods: agent, described: `agent ${agentSocket}` };
  }
  const keys = defaultKeyNames.flatMap((name) => {
    const path = join(folder, name);
    const key = readPrivateKey(path);
    return typeof key === "string" ? [] : [{ path, key }];
  });
  if (agent.length + keys.length === 0) {
    throw new InconclusiveError(
      `No SSH key to log in with: SMOKE_SSH_KEY is not set, there is no agent, and ${folder} holds no ${defaultKeyNames.join(", ")} ` +
        `that can be read without a passphrase. Set SMOKE_SSH_KEY to a private key that the hosts accept.`,
    );
  }
  return {
    methods: [...agent, ...keys.map(({ key }) => offer(key))],
    described: [...agent.map(() => `agent ${agentSocket}`), ...keys.map(({ path }) => `key ${path}`)].join(", "),
  };
}

const encrypted = "is encrypted";

/** The key, or why it cannot be used. */
function readPrivateKey(path: string): ParsedKey | string {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? "does not exist" : `cannot be read (${reasonOf(error)})`;
  }
  // A file can hold several keys; the declared type forgets that they then come as an array.
  const [key] = [ssh2.utils.parseKey(text)].flat();
  if (key === undefined) return "holds no key";
  if (key instanceof Error)
    return /encrypted|passphrase/i.test(key.message) ? encrypted : `is no private key that can be used (${key.message})`;
  return key.isPrivateKey() ? key : "is a public key; the private one usually has the same name without .pub";
}

function unusable(path: string, why: string): InconclusiveError {
  const remedy =
    why === encrypted
      ? `Load it into an agent (ssh-add ${path}) and export SSH_AUTH_SOCK, or name a key without a passphrase.`
      : `Set SMOKE_SSH_KEY to a private key that the hosts accept.`;
  return new InconclusiveError(`The SSH key ${path} ${why}. ${remedy}`, { byHand: [`ssh-keygen -y -f ${path}`] });
}
