/**
 * The causes that are known, from the particular to the general: the first one that matches is named. What keeps us from looking goes
 * before what is wrong, and what does not run before what it leads to.
 */
import { cniRules } from "./rules-cni.ts";
import { containerRules, serverRules } from "./rules-containers.ts";
import { controllerRules, unitRules } from "./rules-control-plane.ts";
import { creationRules } from "./rules-creation.ts";
import { encryptionRules } from "./rules-encryption.ts";
import { etcdctlRules } from "./rules-etcdctl.ts";
import { filterRules } from "./rules-filters.ts";
import { imageRules } from "./rules-images.ts";
import { kubeletRules } from "./rules-kubelet.ts";
import { podNetworkRules, podRules } from "./rules-pod-network.ts";
import { apiRules } from "./rules-api.ts";
import { sshRules } from "./rules-ssh.ts";
import { schedulingRules } from "./rules-scheduling.ts";
import { serviceRules } from "./rules-services.ts";
import type { Rule } from "./model.ts";

export const rules: readonly Rule[] = [
  ...sshRules,
  ...etcdctlRules,
  ...apiRules.ofCredentials,
  ...unitRules,
  ...controllerRules,
  ...creationRules,
  ...apiRules.ofServer,
  ...encryptionRules,
  ...imageRules,
  ...cniRules,
  ...schedulingRules,
  ...kubeletRules,
  ...containerRules,
  ...serviceRules.before,
  ...filterRules,
  ...podNetworkRules,
  ...serviceRules.after,
  ...podRules,
  ...serverRules,
];
