/**
 * Certificates for tests, made anew by openssl each time.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Both in PEM. */
export type Certificate = { cert: string; key: string };

type Subject = { commonName: string; subjectAltName?: string; issuer?: Certificate };

/** Valid for a day. Without an issuer it is self-signed, and can be an issuer itself. */
export function newCertificate({ commonName, subjectAltName, issuer }: Subject): Certificate {
  const folder = mkdtempSync(join(tmpdir(), "certificate-"));
  const [cert, key, caCert, caKey] = ["cert", "key", "ca-cert", "ca-key"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
    string,
  ];
  try {
    const flags = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"];
    flags.push("-subj", `/CN=${commonName}`, "-keyout", key, "-out", cert);
    if (subjectAltName !== undefined) flags.push("-addext", `subjectAltName=${subjectAltName}`);
    if (issuer !== undefined) {
      writeFileSync(caCert, issuer.cert);
      writeFileSync(caKey, issuer.key);
      flags.push("-CA", caCert, "-CAkey", caKey, "-addext", "basicConstraints=critical,CA:FALSE");
    }
    execFileSync("openssl", flags, { stdio: "pipe" });
    return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
