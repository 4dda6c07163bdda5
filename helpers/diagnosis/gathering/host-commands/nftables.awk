# Of `nft --handle list ruleset`: a line a rule, behind its table, its chain and the hook of that. A chain is told of without a hook, and
# then with one by what its hook is.

/^table/ { table = $2 " " $3; asleep = 0 }
/^\tflags .*dormant/ { asleep = 1 }
/^\tchain/ { chain = $2; hook = "-" }
/^\t\ttype [a-z]+ hook / { hook = $4 }

# What iptables has put there, iptables-save tells of; and tables that are asleep do nothing.
asleep || table ~ /^ip6? (raw|mangle|nat|filter|security|kube-proxy)$/ { next }

/^\tchain/ || /^\t\ttype [a-z]+ hook / || /(accept|drop|reject|redirect|dnat|jump|goto|return|queue|vmap|tproxy|synproxy)/ {
  # Written anew, with one space between the words.
  $1 = $1
  print table, chain, hook, $0
}
