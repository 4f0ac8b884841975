/**
 * What `--help` prints, and docs/reference/commands.md: both from the commands themselves.
 */

import { COMMON_OPTIONS, type Command, type OptionSpec, type OptionSpecs } from './command.ts'
import { indent, type Look } from './output.ts'

export function renderCommandHelp(name: string, command: Command, look: Look): string {
  const sections = [
    `${look.bold(`postern ${name}`)}: ${command.summary}`,
    `${look.bold('Usage:')} postern ${usage(name, command)}`,
    ...(command.details === undefined ? [] : [command.details.trim()]),
    `${look.bold('Options:')}\n${optionLines(allOptions(command))}`,
    `${look.bold('Examples:')}\n${indent(command.examples.join('\n'))}`,
  ]
  return sections.join('\n\n')
}

/** A group of commands, or all of them: name and summary of each. */
export function renderGroupHelp(title: string, commands: readonly (readonly [name: string, summary: string])[], look: Look): string {
  const width = Math.max(...commands.map(([name]) => name.length))
  const lines = commands.map(([name, summary]) => `  ${look.bold(name.padEnd(width))}  ${summary}`)
  return [title, '', ...lines, '', 'Each command says more with --help.'].join('\n')
}

export function renderCommandsReference(commands: readonly (readonly [name: string, command: Command])[]): string {
  const pages = commands.map(([name, command]) => {
    const cell = (text: string): string => text.replaceAll('|', '\\|')
    const options = Object.entries(command.options).map(([option, spec]) => `| \`${cell(flagForm(option, spec))}\` | ${cell(describe(spec))} |`)
    return [
      `## postern ${name}`,
      `${command.summary}`,
      `    postern ${usage(name, command)}`,
      ...(command.details === undefined ? [] : [command.details.trim()]),
      ...(options.length === 0 ? [] : [['| option | |', '|---|---|', ...options].join('\n')]),
      `Examples:\n\n${indent(command.examples.join('\n'), '    ')}`,
    ].join('\n\n')
  })
  return `${[REFERENCE_INTRODUCTION, ...pages].join('\n\n')}\n`
}

const REFERENCE_INTRODUCTION = `# Commands

<!-- Printed from src/cli/commands. To change this page, change the commands. -->

Every command has \`--dir D\` (the data directory: \`./postern-data\`, or \`/var/lib/postern\` when run as root), \`--help\`, and
\`--json\` where it prints data. A command ends with 0 on success, 1 on a problem that it names, 2 on wrong usage, 77
where the system does not let you. Problems go to standard error. Commands that have \`--yes\` ask first, unless it is given.`

function usage(name: string, command: Command): string {
  const operands = command.operands === undefined || command.operands === 'none' ? [] : [command.operands]
  return [name, ...operands, '[options]'].join(' ')
}

function allOptions(command: Command): OptionSpecs {
  return { ...command.options, ...COMMON_OPTIONS }
}

function optionLines(specs: OptionSpecs): string {
  const forms = Object.entries(specs).map(([name, spec]) => [flagForm(name, spec), describe(spec)] as const)
  const width = Math.max(...forms.map(([form]) => form.length))
  return forms.map(([form, words]) => `  ${form.padEnd(width)}  ${words}`).join('\n')
}

function flagForm(name: string, spec: OptionSpec): string {
  if (spec.type === 'flag') return `--${name}`
  return `--${name} ${spec.type === 'choice' ? spec.choices.join('|') : spec.value}`
}

function describe(spec: OptionSpec): string {
  return spec.type === 'list' && !/may be repeated/i.test(spec.describe) ? `${spec.describe} May be repeated.` : spec.describe
}
