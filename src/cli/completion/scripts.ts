/**
 * What a shell has to run so that it completes `headgate`. The scripts know no
 * command and no option: they hand the words over to `headgate __complete`,
 * which answers a candidate in each line, with its description after a tab;
 * `:files` stands for the names of files. So no script can be older than the program.
 */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

/** Bash breaks words at = and :, and completes only what follows: what stands before is cut from the candidates. */
const BASH = `# bash completion for headgate: source <(headgate completion bash)
_headgate() {
  local line="\${COMP_LINE:0:COMP_POINT}" value description cut=""
  local -a words
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local word="\${words[\${#words[@]}-1]}"
  [[ $word == *[=:]* ]] && cut="\${word%"\${word##*[=:]}"}"
  COMPREPLY=()
  while IFS=$'\\t' read -r value description; do
    if [[ $value == :files ]]; then
      compopt -o default 2>/dev/null
      return
    fi
    [[ $value == *= ]] && compopt -o nospace 2>/dev/null
    COMPREPLY+=("\${value#"$cut"}")
  done < <("\${words[0]}" __complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -F _headgate headgate
`;

const ZSH = `#compdef headgate
# zsh completion for headgate: headgate completion zsh > ~/.zfunc/_headgate
_headgate() {
  local value description
  local -a plain open
  while IFS=$'\\t' read -r value description; do
    if [[ $value == :files ]]; then
      _files
      return
    fi
    local item="\${value//:/\\\\:}\${description:+:$description}"
    if [[ $value == *= ]]; then open+=("$item"); else plain+=("$item"); fi
  done < <("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  (( \${#plain} )) && _describe -V headgate plain
  (( \${#open} )) && _describe -V headgate open -S ''
  return 0
}
if [[ \${funcstack[1]} == _headgate ]]; then _headgate "$@"; else compdef _headgate headgate; fi
`;

const FISH = `# fish completion for headgate: headgate completion fish > ~/.config/fish/completions/headgate.fish
function __headgate_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($words[1] __complete -- $words[2..-1] "$current" 2>/dev/null)
    if test "$found[1]" = ":files"
        __fish_complete_path "$current"
    else if set -q found[1]
        printf '%s\\n' $found
    end
end
complete -c headgate -f -a '(__headgate_complete)'
`;

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}
