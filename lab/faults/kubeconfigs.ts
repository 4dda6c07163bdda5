/**
 * Kubeconfigs that a run is given in place of the admin's.
 */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { run } from "../run.ts";
import { givenFile, type Lab } from "./fault.ts";

type Kubeconfig = {
  clusters: { cluster: { server: string } }[];
  users: { name: string; user: Record<string, string> }[];
  contexts: { context: { user: string } }[];
};

const path = (lab: Lab): string => givenFile(lab, "kubeconfig");

/** What points the run at it. */
export const givenKubeconfig = (lab: Lab): Record<string, string> => ({ KUBECONFIG: path(lab) });

/** Writes the admin's kubeconfig, changed. */
export async function giveKubeconfig(lab: Lab, change: (kubeconfig: Kubeconfig) => void): Promise<void> {
  const kubeconfig = parse(await readFile(lab.instance.kubeconfig, "utf8")) as Kubeconfig;
  change(kubeconfig);
  await writeFile(path(lab), stringify(kubeconfig), { mode: 0o600 });
}

export const takeKubeconfig = (lab: Lab): Promise<void> => rm(path(lab));

/** Writes a kubeconfig whose user has a certificate of the cluster's authority, valid for some days; for less than none it has expired. */
export async function giveCertificate(lab: Lab, { name, group, days }: { name: string; group?: string; days: number }): Promise<void> {
  const folder = join(lab.instance.folder, "pki");
  const [key, request, certificate] = ["given.key", "given.csr", "given.crt"];
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key];
  const subject = `/CN=${name}${group === undefined ? "" : `/O=${group}`}`;
  await run(["openssl", "req", "-new", ...newKey, "-subj", subject, "-out", request], { folder });
  const signer = ["-CA", "ca.crt", "-CAkey", "ca.key", "-set_serial", "1"];
  await run(["openssl", "x509", "-req", "-in", request, ...signer, "-days", String(days), "-out", certificate], { folder });
  const base64 = async (file: string) => (await readFile(join(folder, file))).toString("base64");
  const user = { "client-certificate-data": await base64(certificate), "client-key-data": await base64(key) };
  await giveKubeconfig(lab, (kubeconfig) => {
    kubeconfig.users = [{ name, user }];
    for (const { context } of kubeconfig.contexts) context.user = name;
  });
  for (const file of [key, request, certificate]) await rm(join(folder, file));
}

/** The certificate that it holds, in PEM. */
export async function certificateGiven(lab: Lab): Promise<string> {
  const { users } = parse(await readFile(path(lab), "utf8")) as Kubeconfig;
  return Buffer.from(users[0]?.user["client-certificate-data"] ?? "", "base64").toString("utf8");
}
