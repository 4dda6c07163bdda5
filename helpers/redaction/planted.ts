/**
 * For tests: each kind of secret that must not leave, in the form in which journals, files, Events and errors show it, and lines that look
 * like one and that rules and readers need. All of it is made up here, and of nothing that exists.
 */

type Planted = {
  what: string;
  text: string;
  /** The part of the text that must not be found in any output. */
  secret: string;
  /** Nothing but the end of its line tells it from a list of words. */
  isWholeLine?: true;
};

export const plantedPassword = "PlantedPassword7";
const encryptionKey = "UGxhbnRlZFBsYW50ZWRQbGFudGVkUGxhbnRlZFBsYW4=";
const keyBody = "MHcCAQEEIGvT5Ug1P1Q0ZJ0kzv7c9Yd1PlantedPlantedPlantedoAoGCCqGSM49";
const hexKey = "5ca1ab1e0ddba11c0ffee0ddfacade5ca1ab1e0ddba11c0ffee0ddfacade1234";
const staticToken = "planted7planted7";
const privateKey = `-----BEGIN EC PRIVATE KEY-----\n${keyBody}\n-----END EC PRIVATE KEY-----`;
const privateKeyInBase64 = Buffer.from(`${privateKey}\n`).toString("base64");
const webToken = "eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9.eyJpc3MiOiJQbGFudGVkIn0.c2lnbmVkLXBsYW50ZWQ";

const privateKeys: readonly Planted[] = [
  { what: "a private key", text: `before\n${privateKey}\nafter`, secret: keyBody },
  { what: "a private key of OpenSSH", text: privateKey.replaceAll("EC PRIVATE", "OPENSSH PRIVATE"), secret: keyBody },
  { what: "a private key of SSH2", text: `---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n${keyBody}`, secret: keyBody },
  { what: "a private key with its line breaks written out", text: JSON.stringify(privateKey), secret: keyBody },
  { what: "a private key whose end is cut off", text: `-----BEGIN PRIVATE KEY-----\n${keyBody}`, secret: keyBody },
  {
    what: "a private key whose beginning is cut off",
    text: `PlantedPlanted\n${keyBody.slice(0, 20)}\n-----END EC PRIVATE KEY-----`,
    secret: keyBody.slice(0, 20),
  },
  { what: "a private key of which the middle alone is left", text: `kubelet: ${keyBody}`, secret: keyBody },
  { what: "a private key in a journal", text: privateKey.replaceAll(/^/gm, "etcd: "), secret: keyBody },
  { what: "a private key in base64", text: `tls.key ${privateKeyInBase64}`, secret: privateKeyInBase64.slice(0, 60) },
  {
    what: "a private key in base64 over several lines",
    text: `client-key-data: ${privateKeyInBase64.replaceAll(/(.{64})/g, "$1\n    ")}`,
    secret: privateKeyInBase64.slice(70, 100),
  },
  { what: "the key of a kubeconfig", text: `    client-key-data: ${encryptionKey}`, secret: encryptionKey },
  { what: "the key of a kubeconfig in JSON", text: `{"client-key-data":"${encryptionKey}"}`, secret: encryptionKey },
  {
    what: "the key of a kubeconfig, folded",
    text: `client-key-data: >-\n  ${encryptionKey.slice(0, 20)}\n  ${encryptionKey.slice(20)}\nnext: 1`,
    secret: encryptionKey.slice(20),
  },
];

const encryptionKeys: readonly Planted[] = [
  { what: "the key of an encryption provider", text: `- name: key1\n  secret: ${encryptionKey}\n`, secret: encryptionKey },
  { what: "the key of an encryption provider in JSON", text: `{"name":"key1","secret":"${encryptionKey}"}`, secret: encryptionKey },
  { what: "the key of an encryption provider in quotes", text: `  secret: '${encryptionKey}'`, secret: encryptionKey },
  { what: "the key of an encryption provider in braces", text: "- {name: key2, secret: 'UGxhbnRlZDI='}", secret: "UGxhbnRlZDI" },
  { what: "the key of an encryption provider behind a space", text: `  secret : ${encryptionKey.slice(0, 22)}==`, secret: "UGxhbnRlZF" },
  { what: "the key of an encryption provider with a tag", text: "  secret: !!str UGxhbnRlZDI=", secret: "UGxhbnRlZDI" },
  { what: "the key of an encryption provider with an anchor", text: "  secret: &a UGxhbnRlZDI=", secret: "UGxhbnRlZDI" },
  {
    what: "the key of an encryption provider over several lines",
    text: `  secret: |\n    ${encryptionKey.slice(0, 20)}\n    ${encryptionKey.slice(20)}\nnext: 1`,
    secret: encryptionKey.slice(20),
  },
  { what: "the key of an encryption provider on the next line", text: "  secret:\n    UGxhbnRlZDI=\nnext: 1", secret: "UGxhbnRlZDI" },
  { what: "the key of an encryption provider without its name", text: `the key is ${encryptionKey}`, secret: encryptionKey },
  { what: "a key in hexadecimal digits in YAML", text: `- name: key1\n  key: ${hexKey}\n`, secret: hexKey },
  { what: "a key in hexadecimal digits in JSON", text: `{"name":"key1","key":"${hexKey.toUpperCase()}"}`, secret: hexKey.toUpperCase() },
  { what: "a key in hexadecimal digits in braces", text: `- {name: key1, key: '${hexKey.slice(0, 32)}'}`, secret: hexKey.slice(0, 32) },
  { what: "a key in hexadecimal digits in a sentence", text: `the encryption key is ${hexKey.slice(0, 48)}.`, secret: hexKey.slice(0, 48) },
  { what: "a key in hexadecimal digits behind its kind", text: `aescbc key "${hexKey}"`, secret: hexKey },
  { what: "a key in hexadecimal digits behind a colon in a sentence", text: `with secretbox key: ${hexKey}`, secret: hexKey },
  { what: "a secret in hexadecimal digits behind a space", text: `client secret ${hexKey}`, secret: hexKey },
  // One in 64 of them begins so.
  { what: "a key without its name that begins like a path", text: `the key is /${encryptionKey.slice(1)}`, secret: encryptionKey.slice(1) },
];

const tokens: readonly Planted[] = [
  { what: "a ServiceAccount's token", text: webToken, secret: "eyJpc3MiOiJQbGFudGVkIn0" },
  { what: "a ServiceAccount's token that is cut off", text: webToken.slice(0, 30), secret: webToken.slice(0, 30) },
  { what: "a bearer token", text: "curl -H 'Authorization: Bearer planted-planted-planted'", secret: "planted-planted" },
  { what: "a short bearer token", text: "Authorization: Bearer short1", secret: "short1" },
  { what: "a bearer token in small letters", text: `bearer ${plantedPassword}abcdef`, secret: plantedPassword },
  { what: "a bearer token, as Go prints headers", text: `map[Authorization:[Bearer ${plantedPassword}]]`, secret: plantedPassword },
  { what: "a password in a header", text: "authorization: Basic cGxhbnRlZA==", secret: "cGxhbnRlZA" },
  { what: "a password in a header, as Go prints it", text: "map[Accept:[*/*] Proxy:[Basic cGxhbnRlZA==]]", secret: "cGxhbnRlZA" },
  { what: "a bootstrap token", text: "kubeadm join --discovery abcdef.012345678planted", secret: "012345678planted" },
  { what: "a bootstrap token at the end of a sentence", text: "no token abcdef.012345678planted.", secret: "012345678planted" },
  { what: "the secret of a bootstrap token", text: "token-secret: 012345678planted", secret: "012345678planted" },
  { what: "a token in a kubeconfig", text: "    token: planted-planted", secret: "planted" },
  { what: "a token in a flag", text: `--token=${plantedPassword}`, secret: plantedPassword },
  { what: "a token behind a flag", text: `kubelet --token ${plantedPassword}`, secret: plantedPassword },
  { what: "a token of K3s in the environment", text: `K3S_TOKEN=${plantedPassword}`, secret: plantedPassword },
  { what: "a token of OAuth in JSON", text: `{"access_token":"${plantedPassword}"}`, secret: plantedPassword },
  { what: "a token in JSON within JSON", text: String.raw`{\"token\":\"${plantedPassword}\"}`, secret: plantedPassword },
  {
    what: "a token in JSON within JSON, of two layers",
    text: String.raw`{\\\"token\\\":\\\"${plantedPassword}\\\"}`,
    secret: plantedPassword,
  },
  { what: "a token whose closing quote is cut off", text: `{"token":"${plantedPassword}`, secret: plantedPassword },
  { what: "a token with a quote in it", text: String.raw`{"token":"x\"${plantedPassword}"}`, secret: plantedPassword },
  { what: "a token in a CNI file", text: `{"k8s_auth_token":"${plantedPassword}"}`, secret: plantedPassword },
  { what: "a token in a URL", text: `clone of https://${plantedPassword}@git.example.com/x`, secret: plantedPassword },
  {
    what: "a token in hexadecimal digits behind a space",
    text: `invalid bearer token ${hexKey.slice(0, 32)}`,
    secret: hexKey.slice(0, 32),
  },
  { what: "a line of a file of tokens", text: `${staticToken},alice,1001,"system:masters,b"`, secret: staticToken },
  { what: "a line of a file of tokens with one group", text: `${staticToken}.a-b=,node-0,n0,system:nodes`, secret: staticToken },
  { what: "a line of a file of tokens without groups", text: `${staticToken},alice,1001`, secret: staticToken, isWholeLine: true },
  { what: "a line of a file of tokens in a sentence", text: `cannot read ${staticToken},alice,1001,"a,b" there`, secret: staticToken },
  {
    what: "a line of a file of tokens without groups, of a user with one name",
    text: `${staticToken},admin,admin`,
    secret: staticToken,
    isWholeLine: true,
  },
  { what: "a line of a file of tokens, all in quotes", text: `"${staticToken}","alice","1001","a,b"`, secret: staticToken },
  { what: "a token of GitHub", text: "clone of ghp_16C7e42F292c6912E7710c838347Ae178B4a", secret: "16C7e42F292c6912" },
];

const passwords: readonly Planted[] = [
  { what: "a password in a file", text: 'password: "planted planted"', secret: "planted" },
  { what: "a password of several words", text: `user: alice\npassword: my ${plantedPassword}`, secret: plantedPassword },
  { what: "a password behind a flag", text: `etcd --password ${plantedPassword}`, secret: plantedPassword },
  {
    what: "a password of etcd",
    text: `env ETCDCTL_API=3 etcdctl '--user=root:${plantedPassword}' get /registry/x`,
    secret: plantedPassword,
  },
  { what: "a password of etcd behind a space", text: `etcdctl --user root:${plantedPassword} get /registry/x`, secret: plantedPassword },
  {
    what: "a password of etcd by itself",
    text: `"etcdctl --user=root --password=${plantedPassword} get x" exited 1`,
    secret: plantedPassword,
  },
  {
    what: "a password of etcd with a comma and quotes in it",
    text: String.raw`'--password=a,b'\''c"${plantedPassword}' get`,
    secret: plantedPassword,
  },
  { what: "a password of etcd in a message", text: `"etcdctl '--user=root:a"${plantedPassword}'" exited 1`, secret: plantedPassword },
  { what: "a password of etcd in the environment", text: `ETCDCTL_PASSWORD=${plantedPassword} etcdctl get`, secret: plantedPassword },
  { what: "a user of etcd in the environment", text: `ETCDCTL_USER=root:${plantedPassword}`, secret: plantedPassword },
  { what: "a password of curl", text: `curl -u admin:${plantedPassword} https://x`, secret: plantedPassword },
  { what: "a password of curl right behind the flag", text: `curl -uroot:${plantedPassword} https://x`, secret: plantedPassword },
  {
    what: "a password of curl in quotes right behind the flag",
    text: `curl -u'root:${plantedPassword}' https://x`,
    secret: plantedPassword,
  },
  { what: "a password in a URL", text: "HTTPS_PROXY=http://alice:planted@192.0.2.1:3128", secret: "planted" },
  { what: "a password with an @ in a URL", text: `https://alice:p@ss${plantedPassword}@host/`, secret: plantedPassword },
  { what: "a password with an @ and a slash in a URL", text: `http://alice:p@ss/${plantedPassword}@host/`, secret: plantedPassword },
  { what: "a password with a slash in a URL", text: `http://alice:p/${plantedPassword}@host/`, secret: plantedPassword },
  { what: "a password of digits with a slash in a URL", text: "https://alice:7412/8523@host/", secret: "8523" },
  { what: "a password of many digits with a slash in a URL", text: "https://alice:741285/PlantedRest@host/", secret: "PlantedRest" },
  { what: "the signature of a URL", text: `Get "https://r.example.com/l?X-Amz-Signature=${plantedPassword}&x=1"`, secret: plantedPassword },
  { what: "the secret of a client", text: `client_secret=${plantedPassword}`, secret: plantedPassword },
  { what: "the secret of a client in JSON", text: `{"clientSecret":"${plantedPassword}"}`, secret: plantedPassword },
  { what: "the key of an API", text: `API_KEY=${plantedPassword}`, secret: plantedPassword },
  { what: "the key of an API in a header", text: `X-Api-Key: ${plantedPassword}`, secret: plantedPassword },
  { what: "the key of an account", text: `DefaultEndpointsProtocol=https;AccountKey=${plantedPassword};`, secret: plantedPassword },
  { what: "the key of kubeadm's certificates", text: `kubeadm join x --certificate-key ${plantedPassword}`, secret: plantedPassword },
  { what: "the key of kubeadm's certificates in YAML", text: `certificateKey: ${plantedPassword}`, secret: plantedPassword },
  { what: "a key that signs", text: `signingKey: ${plantedPassword}`, secret: plantedPassword },
  { what: "a key of WireGuard", text: "PrivateKey = yAnz5TF+lXXJte14tji3zlMN", secret: "yAnz5TF" },
  { what: "the credentials of a registry", text: '{"auths":{"registry.example.com":{"auth":"cGxhbnRlZA=="}}}', secret: "cGxhbnRlZ" },
  { what: "the credentials of a registry in TOML", text: 'auth = "cGxhbnRlZA=="', secret: "cGxhbnRlZ" },
  { what: "a pull Secret", text: ".dockerconfigjson: eyJhdXRocyI6eyJyIjp7fX19", secret: "eyJhdXRocyI6" },
  { what: "a pull Secret that begins with a line break", text: ".dockerconfigjson: ewogICJhdXRocyI6", secret: "ewogICJhdXRocyI6" },
];

const dataOfSecrets: readonly Planted[] = [
  {
    what: "the data of a Secret in YAML",
    text: "data:\n  mykey: cGxhbnRlZA==\n  other: cGxhbnRlZDI=\nkind: Secret\n",
    secret: "cGxhbnRlZ",
  },
  {
    what: "the data of a Secret in YAML, with keys in quotes",
    text: `kind: Secret\ndata:\n  "k": ${plantedPassword}\n`,
    secret: plantedPassword,
  },
  {
    what: "the data of a Secret in YAML, over several lines",
    text: `kind: Secret\nstringData:\n  cfg: |\n    user\n\n    of ${plantedPassword}\n  x: y\n`,
    secret: plantedPassword,
  },
  { what: "the data of a Secret in a list", text: `items:\n- data:\n    k: ${plantedPassword}\n  kind: Secret\n`, secret: plantedPassword },
  {
    what: "the data of a Secret in YAML, in a journal",
    text: `etcd: kind: Secret\netcd: data:\netcd:   k: ${plantedPassword}\netcd: next`,
    secret: plantedPassword,
  },
  {
    what: "the data of a Secret in JSON",
    text: '{"kind":"Secret","apiVersion":"v1","data":{"mykey":"cGxhbnRlZA==","other":"cGxhbnRlZDI="}}',
    secret: "cGxhbnRlZ",
  },
  {
    what: "the data of a Secret in JSON, with a brace in it",
    text: `{"kind":"Secret","data":{"a":"{}","b":"${plantedPassword}"}}`,
    secret: plantedPassword,
  },
  {
    what: "the data of a Secret in a SecretList",
    text: `{"kind":"SecretList","items":[{"data":{"a":"${plantedPassword}"}}]}`,
    secret: plantedPassword,
  },
  {
    what: "the data of a Secret in JSON within JSON",
    text: String.raw`"{\"apiVersion\":\"v1\",\"data\":{\"k\":\"${plantedPassword}\"},\"kind\":\"Secret\"}"`,
    secret: plantedPassword,
  },
  {
    what: "the data of a Secret, as Node prints it",
    text: `{ kind: 'Secret', data: { mykey: '${plantedPassword}' } }`,
    secret: plantedPassword,
  },
  { what: "the data of a Secret, as Go prints it", text: "&Secret{Data:map[string][]byte{k: [112 108 97],},}", secret: "112 108 97" },
];

export const planted: readonly Planted[] = [...privateKeys, ...encryptionKeys, ...tokens, ...passwords, ...dataOfSecrets];

/** The secrets that a text still shows, by what they are; of one that has the text of another, both. */
export const tracesIn = (text: string): string[] => planted.filter(({ secret }) => text.includes(secret)).map(({ what }) => what);

/** What a rule or a reader looks at, and what only looks like a secret: it must come through as it is. */
export const harmless: readonly string[] = [
  // Of a Pod that a service mesh has been put into.
  "sources:\n- serviceAccountToken:\n    path: token\n- secret:\n    secretName: x\nnodeName: node-0\nauthorization:\n  mode: Webhook\n",
  "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
  "node-1 10.200.1.0/24 via 10.91.7.21 dev eth0",
  // The run's own: what a check compares has to show.
  "canary-0123456789abcdef0123456789abcdef",
  "Secret smoke-1/kubernetes-the-hard-way, decoded: expected { mykey: 'mydata' } to deeply equal { mykey: 'others' }",
  "server: how the value of /registry/secrets/smoke-1/x begins: expected 'k8s\\0' to be 'k8s:enc:aescbc:v1:key1:'",
  "curl --head http://10.91.7.20:31410/smoke-0123456789abcdef",
  "curl --unix-socket /run/x -unix: http://localhost",
  "ssh://root@192.0.2.10 and git@github.com:alice/x",
  'Failed to pull image "http://registry.example.com:5000/library/nginx@sha256:0a399eb16751829e1af26fea27b20c3ec28d7ab1fb72182879dcae1cca21206a"',
  "--etcd-servers=https://192.0.2.10:2379,https://192.0.2.11:2379 of alice@example.com",
  "GET https://[fd00::1]:6443/api/v1/namespaces/smoke-1/pods?labelSelector=x@y was not answered",
  "https://server.kubernetes.local:6443 answered 401: Unauthorized. Are the kubeconfig's credentials of this cluster?",
  "http://registry:5000/12@sha256:0a399eb16751829e1af26fea27b20c3ec28d7ab1fb72182879dcae1cca21206a and http://registry:5000/1/nginx@1.2",
  "GET https://server:6443/api/v1/nodes/1?labelSelector=x@y was not answered",
  // Flags: the paths of keys and tokens, and switches.
  "kube-apiserver --encryption-provider-config=/var/lib/kubernetes/encryption-config.yaml",
  "kube-apiserver --token-auth-file=/etc/kubernetes/tokens.csv",
  "kube-apiserver --tls-private-key-file=/var/lib/kubernetes/kube-api-server.key",
  "kube-apiserver --kubelet-client-key=/var/lib/kubernetes/kube-api-server.key",
  "kube-apiserver --service-account-signing-key-file=/var/lib/kubernetes/service-accounts.key",
  "kube-apiserver --anonymous-auth=false",
  "kube-controller-manager --use-service-account-credentials=true",
  "etcd --client-cert-auth=true",
  "etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/etcd/ca.crt --cert=/etc/etcd/etcd.crt --key=/etc/etcd/etcd.key get x",
  "kubectl create clusterrolebinding a --clusterrole=b --user=system:kube-apiserver",
  'SMOKE_PULL_SECRET="/root/.docker/config.json": there is no such file',
  // Names of objects, UIDs, digests, fingerprints.
  "Pod smoke-1/nginx-6cbd49dfb4-7tcx2, UID 53f41952-3625-44b1-b206-4df2fb8e0f90",
  "Pulled image nginx@sha256:0a399eb16751829e1af26fea27b20c3ec28d7ab1fb72182879dcae1cca21206a",
  "its host key is ssh-ed25519 SHA256:uNiVztksCsDhcc0u9e8BrJkDPlantedPlantedQ5Uf0 in known_hosts",
  "sha256 Fingerprint=44:7A:08:E5:64:FF:45:BB:04:48:70:84:0B:6E:C5:9D:7C:6F:B8:70:6F:D1:69:F7:CD:09:84:80:B2:37:6B:71",
  "Created container 5ca1ab1e0ddba11c0ffee0ddfacade5ca1ab1e0ddba11c0ffee0ddfacade1234 of commit 5ca1ab1e0ddba11c0ffee0ddfacade5ca1ab1e0d",
  "5ca1ab1e0ddba11c0ffee0ddfacade5ca1ab1e0ddba11c0ffee0ddfacade1234 nginx Running",
  'level=error msg="RemoveContainer failed" key=5ca1ab1e0ddba11c0ffee0ddfacade5ca1ab1e0ddba11c0ffee0ddfacade1234',
  "Pod kube-system/etcd-server, UID 5ca1ab1e0ddba11c0ffee0ddfacade12: its secret is not found",
  "--discovery-token-ca-cert-hash sha256:5ca1ab1e0ddba11c0ffee0ddfacade5ca1ab1e0ddba11c0ffee0ddfacade1234",
  "serial=5CA1AB1E0DDBA11C0FFEE0DDFACADE12 subject=CN = kubernetes, keyid:5CA1AB1E0DDBA11C0FFEE0DDFACADE5CA1AB1E0D, the public key 5ca1ab1e0ddba11c0ffee0ddfacade12",
  // Lists that have the commas of a file of tokens.
  "kube-apiserver --enable-admission-plugins=NamespaceLifecycle,NodeRestriction,1",
  "NamespaceLifecycle,NodeRestriction,LimitRanger",
  "NamespaceLifecycle,NodeRestriction,LimitRanger,ServiceAccount2",
  "node-0.kubernetes.local,node-1,node-2,192.0.2.10",
  "53f41952-3625-44b1-b206-4df2fb8e0f90,smoke-1,nginx",
  "0123456789abcdef0123456789abcdef,1,2 of 3",
  '"Error syncing" secret="default/kubernetes-the-hard-way" kind=Secret',
  'MountVolume.SetUp failed for volume "x" : secret "smoke-pull" not found',
  'unable to transform key "/registry/secrets/smoke-1/x": no matching prefix found',
  // Sentences that have the word of a secret in them.
  "resources[0].providers[0].aescbc.keys[0].secret: secret is not of the expected length, got 8, expected one of [16 24 32]",
  'failed to fetch anonymous token: Get "https://auth.docker.io/token?scope=repository:library/nginx:pull": dial tcp: i/o timeout',
  "failed to fetch anonymous token: unexpected status from GET request to https://auth.docker.io/token: 401 Unauthorized",
  "Unable to authenticate the request: [invalid bearer token, service account token has expired]",
  "unauthorized: Bearer authentication is off, Basic authentication too",
  "exec: Forbidden (user=kubernetes, verb=get, resource=nodes, subresource=proxy)",
];
