/**
 * The causes that are known, from the particular to the general: the first one that matches is named. What keeps us from looking goes
 * before what is wrong, and what does not run before what it leads to.
 */
import type { Rule } from "../model.ts";
import { apiRules } from "./api.ts";
import { cniRules } from "./cni.ts";
import { containerRules, serverRules } from "./containers.ts";
import { controllerRules, unitRules } from "./control-plane.ts";
import { creationRules } from "./creation.ts";
import { encryptionRules } from "./encryption.ts";
import { etcdctlRules } from "./etcdctl.ts";
import { filterRules } from "./filters.ts";
import { imageRules } from "./images.ts";
import { kubeletRules } from "./kubelet.ts";
import { podNetworkRules, podRules } from "./pod-network.ts";
import { schedulingRules } from "./scheduling.ts";
import { serviceRules } from "./services.ts";
import { sshRules } from "./ssh.ts";
import { streamRules } from "./streams.ts";

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
  ...streamRules,
  ...containerRules,
  ...serviceRules.before,
  ...filterRules,
  ...podNetworkRules,
  ...serviceRules.after,
  ...podRules,
  ...serverRules,
];
