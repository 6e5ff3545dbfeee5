# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of mullion(1) for bash.
_mullion_names()
{
	mullion list 2>/dev/null | awk 'NR > 1 { print $1 }'
}
_mullion()
{
	local word=${COMP_WORDS[COMP_CWORD]} noun=${COMP_WORDS[1]} words=
	case $COMP_CWORD:$noun in
	1:*) words="list domain template disposable volume run open doctor --json --help" ;;
	2:domain) words="list show create set clone remove start stop kill" ;;
	2:template) words="list create update" ;;
	2:disposable) words="list start" ;;
	2:volume) words="list" ;;
	2:run) words="$(_mullion_names) --disposable --app" ;;
	2:open) words="$(_mullion_names) --disposable" ;;
	*:open)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	*:run)
		mapfile -t COMPREPLY < <(compgen -c -- "$word")
		return
		;;
	*)
		words="$(_mullion_names) kind= label= template= network= vcpus= memory_mib=
			memory_max_mib= private_mib= autostart= disposables=
			disposable.allowed= disposable.limit="
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
	[[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -F _mullion mullion
