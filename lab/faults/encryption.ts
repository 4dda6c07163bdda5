/**
 * Secrets that are not stored as they should be, and instruments that would not notice.
 */
import { isSo, type Fault, type Lab } from "./fault.ts";

const path = "/var/lib/kubernetes/encryption-config.yaml";
const etcdctl = "/usr/local/bin/etcdctl";
const restart = "systemctl restart kube-apiserver";

/** The configuration with identity first: what is written from now on is plaintext, and what was encrypted can still be read. */
const identityFirst = `sed -i -e '/- identity/d' -e 's/^\\( *\\)providers:/&\\n\\1  - identity: {}/' ${path}`;

/** What was stored in plaintext while the fault lasted is gone with its namespace; it must be, as no reader would be left for it. */
const restore = async (lab: Lab): Promise<unknown> => lab.on("server", `cp ${path}.intended ${path} && rm ${path}.intended && ${restart}`);

export const encryption: readonly Fault[] = [
  {
    name: "identity-first",
    state: "the API server writes Secrets in plaintext, because identity is its first provider",
    inject: (lab) => lab.on("server", `cp ${path} ${path}.intended && ${identityFirst} && ${restart}`),
    heal: restore,
    holds: (lab) => isSo(lab, "server", `grep -A1 providers: ${path} | grep -q identity`),
    fails: ["secret-encrypted", "secret-no-plaintext", "secret-decrypts"],
    inconclusive: [],
    because: /k8s|plaintext|canary|mydata/,
  },
  {
    name: "etcdctl-missing",
    state: "server has no etcdctl",
    inject: (lab) => lab.on("server", `mv ${etcdctl} ${etcdctl}.away`),
    heal: (lab) => lab.on("server", `mv ${etcdctl}.away ${etcdctl}`),
    holds: (lab) => isSo(lab, "server", `! command -v etcdctl >/dev/null`),
    fails: [],
    inconclusive: ["secret-encrypted", "secret-no-plaintext", "secret-decrypts", "secret-deleted"],
    because: /etcdctl/,
  },
  {
    name: "another-etcd-answers",
    state: "etcdctl on server asks an etcd that is empty",
    inject: (lab) =>
      lab.on(
        "server",
        `mv ${etcdctl} ${etcdctl}.away && printf '%s' '#!/bin/sh\ncase "$*" in *json*) echo "{\\"header\\":{\\"revision\\":1}}";; esac\n' > ${etcdctl} && chmod +x ${etcdctl}`,
      ),
    heal: (lab) => lab.on("server", `mv ${etcdctl}.away ${etcdctl}`),
    holds: (lab) => isSo(lab, "server", `[ "$(etcdctl get /registry --prefix --keys-only | wc -c)" = 0 ]`),
    fails: [],
    inconclusive: ["secret-encrypted", "secret-no-plaintext", "secret-decrypts", "secret-deleted"],
    because: /must show the ConfigMap/,
  },
];
