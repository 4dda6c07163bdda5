/**
 * The whole environment of the runs of a bench.
 */
import type { Instance } from "../lab/instance.ts";
import { operatorEnvironment } from "../lab/operator.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** What an operator has, and for kubectl: what it remembers of an API goes with the bench, and no preferences change what it does. */
export const environmentOf = (instance: Instance, variables: Variables, temporary: string): Record<string, string> => ({
  ...operatorEnvironment(instance, variables),
  KUBECACHEDIR: temporary,
  KUBERC: "off",
});
