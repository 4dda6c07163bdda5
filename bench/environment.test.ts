import { expect, test } from "vitest";
import { readSettings, settingNames } from "../helpers/config.ts";
import { instanceOf } from "../lab/instance.ts";
import { environmentOf } from "./environment.ts";

const instance = instanceOf({ name: "none", workers: 2 });
const callers = {
  PATH: "/bin",
  HOME: "/root",
  KUBECONFIG: "/root/.kube/config",
  SMOKE_IMAGE: "mine",
  CI: "true",
  NODE_OPTIONS: "--inspect",
};

test("a run knows the lab, and nothing of the caller's settings", () => {
  const environment = environmentOf(instance, callers, "/tmp/bench");

  expect(environment).toMatchObject({ PATH: "/bin", HOME: "/root", KUBECONFIG: instance.kubeconfig, SMOKE_SERVER: "server" });
  expect(environment).not.toHaveProperty("NODE_OPTIONS");
});

// As the suite merges the two: the environment wins over .env.
test("what .env says is overruled, and so are its defaults kept", () => {
  const dotenv = { SMOKE_IMAGE: "mine", SMOKE_NAMESPACE: "mine", SMOKE_JUNIT: "mine.xml", CI: "true" };
  // The lab's files are not there, and settings that name a missing file are refused.
  const withoutFiles = { KUBECONFIG: "", SMOKE_CONTEXT: "", SMOKE_SSH_KEY: "", SMOKE_SSH_KNOWN_HOSTS: "", SMOKE_ENCRYPTION_CONFIG: "" };

  const settings = readSettings({ ...dotenv, ...environmentOf(instance, callers, "/tmp/bench"), ...withoutFiles });

  expect(settings).toMatchObject({ image: "nginx:latest", namespace: undefined, junitPath: undefined });
});

test("every setting there is has a value of its own in a run, even if empty", () => {
  expect(Object.keys(environmentOf(instance, {}, "/tmp/bench"))).toEqual(expect.arrayContaining([...settingNames]));
});
