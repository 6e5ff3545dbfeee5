# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of mullion(1) for bash.
_mullion()
{
	local word=${COMP_WORDS[COMP_CWORD]} noun=${COMP_WORDS[1]} words=
	case $COMP_CWORD in
	1) words="list domain template disposable --json --help" ;;
	2)
		case $noun in
		domain) words="list show create set clone remove start stop kill" ;;
		template) words="list create" ;;
		disposable) words="list start" ;;
		esac
		;;
	*)
		words="$(mullion list 2>/dev/null | awk 'NR > 1 { print $1 }') kind= label=
			template= network= vcpus= memory_mib= memory_max_mib= private_mib= autostart=
			disposable.allowed= disposable.limit="
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	[[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -F _mullion mullion
