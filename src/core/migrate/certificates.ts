/**
 * Certificates and keys of the old site: our own pairs stay where they are, and the authorities that
 * count become files of their own.
 */

import type { Draft } from './draft.ts'
import type { Source } from './report.ts'
import type { SiteAuthority, SiteFiles } from './site-files.ts'

type NamedFile = Source & { readonly value: string }

type Pair = {
  readonly table: 'tls' | 'delivery'
  readonly certificate: NamedFile | null
  readonly key: NamedFile | null
}

const OTHERWISE = {
  tls: 'The certificate that Postern made for itself is used instead: programs that trust only the old one will refuse it',
  delivery: 'The certificate that Postern made for itself is shown to next hops instead',
} as const

/** Both or neither: a certificate is of no use with another's key. */
export function carryPair(draft: Draft, files: SiteFiles, { table, certificate, key }: Pair): void {
  const otherwise = OTHERWISE[table]
  if (certificate === null || key === null) {
    const alone = certificate ?? key
    if (alone !== null) draft.todo(alone, `The certificate and the key are both needed, and only one is named. ${otherwise}`)
    return
  }
  const named = [
    { from: certificate, setting: `${table}.certificate`, note: 'the whole chain must be in this file' },
    { from: key, setting: `${table}.key`, note: '' },
  ].map(part => ({ ...part, path: firstPath(part.from), place: files.locate(firstPath(part.from)) }))
  const isWhole = named.every(({ place }) => place !== null)
  for (const { from, setting, note, path, place } of named) {
    if (place === null) draft.todo(from, `${path} is not here. ${otherwise}. To use it: put it there, and set ${table}.certificate and ${table}.key`)
    else if (isWhole) draft.set(from, setting, place, note)
    else draft.todo(from, `Its other half is not here. ${otherwise}`)
    const others = from.value.split(',').slice(1)
    if (others.length > 0) draft.todo(from, `Postern has one certificate for each purpose: ${others.join(', ')} is not used`)
  }
  const problem = isWhole ? files.keyProblem(firstPath(key)) : null
  if (problem !== null) draft.todo(key, `Postern will not use this key as it is: ${problem}`)
}

function firstPath({ value }: NamedFile): string {
  return value.split(',')[0]?.trim() ?? ''
}

/** Writes each as a file, and lets it count on every listener that is on. */
export function copyAuthorities(draft: Draft, authorities: readonly SiteAuthority[]): void {
  const names: string[] = []
  for (const { subject, pem } of authorities) {
    const word = fileWord(subject)
    const taken = names.filter(name => name === `client-ca/${word}.pem` || name.startsWith(`client-ca/${word}-`)).length
    const name = `client-ca/${word}${taken === 0 ? '' : `-${taken + 1}`}.pem`
    names.push(name)
    draft.copies.push({ name, content: pem })
  }
  if (names.length === 0) return
  for (const listener of ['mx', 'submission', 'submissions'] as const) {
    if (draft.valueOf(`listeners.${listener}.enabled`) === true) draft.put({ file: '', line: 0, text: '' }, `listeners.${listener}.client-ca`, names)
  }
}

/** `/C=US/CN=Example+20CA` to `example-ca`. */
function fileWord(subject: string): string {
  const common = /\/CN=([^/]*)/i.exec(subject)?.[1] ?? 'ca'
  const plain = common.replaceAll(/\+[0-9A-F]{2}/gi, '-').replaceAll(/[^A-Za-z0-9]+/g, '-')
  return plain.toLowerCase().replaceAll(/^-+|-+$/g, '').slice(0, 60) || 'ca'
}
