/**
 * What the parts of a migration from sendmail work with: what the old site says, its files, and the
 * new site.
 */

import type { OldAccess } from '../access-file.ts'
import type { Draft } from '../draft.ts'
import type { Source } from '../report.ts'
import type { SiteFiles } from '../site-files.ts'
import type { Saying, Statement } from './statement.ts'

export type SendmailSite = {
  readonly statements: readonly Statement[]
  readonly files: SiteFiles
  readonly access: OldAccess
  readonly draft: Draft
  /** HOST:PORT of the server that has the mailboxes of local domains, or null. */
  readonly mailboxes: string | null
}

type Of<Kind extends Saying['kind']> = Statement & { readonly kind: Kind }

export function statementsOf<Kind extends Saying['kind']>(site: { readonly statements: readonly Statement[] }, kind: Kind): readonly Of<Kind>[] {
  return site.statements.filter((statement): statement is Of<Kind> => statement.kind === kind)
}

/** The last one counts. */
export function optionNamed(site: SendmailSite, name: string): Of<'option'> | null {
  return statementsOf(site, 'option').findLast(option => option.name === name && option.value !== '') ?? null
}

export function variableNamed(site: SendmailSite, name: string): Of<'variable'> | null {
  return statementsOf(site, 'variable').findLast(variable => variable.name === name && variable.value !== '') ?? null
}

export function featureNamed(site: SendmailSite, ...names: readonly string[]): Of<'feature'> | null {
  return statementsOf(site, 'feature').find(({ name }) => names.includes(name)) ?? null
}

export function wordsNamed(site: SendmailSite, ...names: readonly string[]): readonly Of<'word'>[] {
  return statementsOf(site, 'word').filter(({ name }) => names.includes(name))
}

/** What sendmail does without being told. */
export function untold(text: string): Source {
  return { file: 'sendmail', line: 0, text }
}

/** `hash -T<TMPF> /etc/mail/access.db` to the file that makemap reads. */
export function tableFile(map: string, fallback: string): string {
  const path = map.trim().split(/\s+/).at(-1) ?? ''
  return path.startsWith('/') ? path.replace(/\.(?:db|dbm|cdb)$/, '') : fallback
}
