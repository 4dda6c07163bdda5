# shellcheck shell=sh
# Finds the processes of the units and their flags, once, with as few commands as it takes: a host may be busy.

units="etcd kube-apiserver kube-controller-manager kube-scheduler containerd kubelet kube-proxy"

# A line for each unit that runs: its name, and the PID of its first process.
processes=
for file in /proc/[0-9]*/comm; do
  read -r name 2>/dev/null <"$file" || continue
  # The kernel keeps 15 characters of a process's name.
  [ "$name" = kube-controller ] && name=kube-controller-manager
  case " $units " in *" $name "*) ;; *) continue ;; esac
  case $processes in *"$name "*) continue ;; esac
  pid=${file#/proc/}
  processes="$processes$name ${pid%/comm}
"
done

# The flags in a command line of /proc, each behind the unit's name. A flag and its value may be two words; they are told as one. What
# begins with a dash is no value.
flags_of() {
  tr '\0' '\n' | awk -v name="$1" '
    function tell() { if (flag != "") print name, flag; flag = "" }
    /^--/ { tell(); flag = $0; next }
    flag !~ /=/ && flag != "" && !/^-/ { flag = flag "=" $0 }
    { tell() }
    END { tell() }'
}
flags=$(printf '%s' "$processes" | while read -r name pid; do flags_of "$name" 2>/dev/null <"/proc/$pid/cmdline"; done)

kubelet_config=$(flag kubelet config)
encryption_config=$(flag kube-apiserver encryption-provider-config)
export units processes flags kubelet_config encryption_config
