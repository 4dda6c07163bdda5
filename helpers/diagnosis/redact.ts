/**
 * What must not leave: keys, tokens, passwords, the data of Secrets. Evidence and messages go through here before they are kept or shown.
 */

const hidden = "[redacted]";

type Pattern = readonly [pattern: RegExp, replacement: string];

const patterns: readonly Pattern[] = [
  // A PEM block also where its line breaks are written as \n. Certificates are public.
  [/-----BEGIN (?!CERTIFICATE-----)([A-Z0-9 ]+)-----[^]*?(?:-----END \1-----|$)/g, `-----BEGIN $1----- ${hidden}`],
  // The same, once more in base64: of a kubeconfig, "-----BEGIN ... PRIVATE KEY" begins so.
  [/\bLS0tLS1CRUdJTi(?!BDRVJUSUZJQ0FURS)[A-Za-z0-9+/=]+/g, hidden],
  [/\b(client-key-data"?\s*:\s*"?)[A-Za-z0-9+/=]+/g, `$1${hidden}`],
  // A JSON web token, such as that of a ServiceAccount.
  [/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, hidden],
  [/\b(Bearer\s+)[\w.~+/=-]{12,}/g, `$1${hidden}`],
  [/\b(authorization"?\s*[:=]\s*"?\w+\s+)[\w.~+/=-]+/gi, `$1${hidden}`],
  // A bootstrap token: six characters, a dot, sixteen.
  [/(?<![\w.-])[a-z0-9]{6}\.[a-z0-9]{16}(?![\w.-])/g, hidden],
  // The key of a provider in an EncryptionConfiguration.
  [/\b(secret"?\s*:\s*"?)[A-Za-z0-9+/]{16,}={0,2}/g, `$1${hidden}`],
  [/\b(secret:\s*[|>][+-]?\s*\n)(?:[ \t]+[A-Za-z0-9+/=]+(?:\n|$))+/g, `$1${hidden}\n`],
  [
    /\b((?:token|password|passwd|token-secret|secret-key|auth|identitytoken)"?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|[^\s"',;}\][][^\s"',;}]*)/gi,
    `$1${hidden}`,
  ],
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]+:)[^\s/@]+@/gi, `$1${hidden}@`],
];

/** A text without anything that must not leave. */
export function redact(text: string): string {
  const withoutSecrets = isOfSecret.test(text) ? withoutData(text) : text;
  return patterns.reduce((rest, [pattern, replacement]) => rest.replaceAll(pattern, replacement), withoutSecrets);
}

const isOfSecret = /"?kind"?\s*:\s*"?Secret\b/;

/** The values below `data` and `stringData`, in JSON and in YAML. */
function withoutData(text: string): string {
  const json = text.replaceAll(/("(?:data|stringData)"\s*:\s*\{)([^}]*)\}/g, (_all, begin: string, data: string) => {
    return `${begin}${data.replaceAll(/(:\s*)"[^"]*"/g, `$1"${hidden}"`)}}`;
  });
  return json.replaceAll(/^( *)((?:data|stringData):\s*\n)((?:\1 +.*(?:\n|$))+)/gm, (_all, indent: string, begin: string, data: string) => {
    return `${indent}${begin}${data.replaceAll(/^( +[\w.-]+:).*$/gm, `$1 ${hidden}`)}`;
  });
}
