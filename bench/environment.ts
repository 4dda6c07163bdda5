/**
 * The lab that the bench runs on, and the whole environment of its runs.
 */
import { SettingsError } from "../helpers/errors.ts";
import { isRunning } from "../lab/environment.ts";
import { chosenInstance, recordedInstance, type Instance } from "../lab/instance.ts";
import { operatorEnvironment } from "../lab/operator.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The lab that is up; LAB_NAME chooses among several. No other cluster is ever benched.
 * @throws SettingsError when it is not up
 */
export function runningLab(environment: Variables): Instance {
  const instance = recordedInstance(environment);
  if (instance !== undefined && isRunning(instance)) return instance;
  throw new SettingsError([`The bench needs the lab, and "${chosenInstance(environment).name}" is not up. Boot it: npm run lab -- up`]);
}

/** What an operator has, and for kubectl: what it remembers of an API goes with the bench, and no preferences change what it does. */
export const environmentOf = (instance: Instance, variables: Variables, temporary: string): Record<string, string> => ({
  ...operatorEnvironment(instance, variables),
  KUBECACHEDIR: temporary,
  KUBERC: "off",
});
