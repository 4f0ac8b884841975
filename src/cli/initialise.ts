/**
 * Makes a data directory: the authority, certificates, configuration and access map.
 *
 * postern.toml is written last and nothing is done where one of our names is taken, so a directory is
 * either whole or has no configuration. What a failed attempt made is removed again.
 */

import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { renderInitialAccess, renderInitialConfig, type InitialSettings } from '../core/config/initial.ts'
import { parseConfig } from '../core/config/parse.ts'
import { writeWholeFile } from '../io/whole-file.ts'
import { createAuthorityOnce, startAuthority, type AuthorityProcess } from '../process/authority-process.ts'
import { readPassphrase } from '../process/passphrase.ts'
import type { AuthorityRequest, IssuedClient, KeyType } from '../relay/admin.ts'
import { Problem, UsageProblem } from './command.ts'
import { configFile } from './directory.ts'
import { giveToOwnerOf } from './files.ts'
import { askStarted } from './running.ts'
import { SERVER_DAYS } from './validity.ts'

export type InitialPlan = InitialSettings & {
  /** The domain in the names of certificates; null for the first mail domain. */
  readonly organisation: string | null
  /** The name of the issuing CA; null for one made from the organisation. */
  readonly caName: string | null
  readonly keyType: KeyType
  /** From another program's configuration, in place of what init would write. */
  readonly brought?: BroughtFiles
}

export type BroughtFiles = {
  readonly config: string
  /** The text of the access map, given the name of the new authority. */
  readonly access: (issuer: string) => string
  /** Further files, by their names in the data directory. */
  readonly further: readonly { readonly name: string; readonly content: string }[]
}

export type Made = {
  readonly issuingSubject: string
  readonly serverNames: readonly string[]
}

/** `meanwhile` may have the new authority do more before the configuration is written. */
export async function initialise(
  directory: string,
  plan: InitialPlan,
  meanwhile: (authority: AuthorityProcess) => Promise<void> = async () => {},
): Promise<Made> {
  const config = plan.brought?.config ?? renderInitialConfig(plan)
  const parsed = parseConfig(config, 'postern.toml')
  if (!parsed.ok) throw new UsageProblem(parsed.problem.map(({ key, message }) => `${optionOf(key)}: ${message}`).join('\npostern: '))
  refuseOccupied(directory)
  const wasThere = existsSync(directory)
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    return await fill(directory, plan, config, meanwhile)
  } catch (error) {
    for (const name of wasThere ? OUR_NAMES : ['']) rmSync(path.join(directory, name), { recursive: true, force: true })
    throw error
  }
}

/** The files and folders that init makes. */
const OUR_NAMES = ['postern.toml', 'access', 'ca', 'tls', 'spool', 'clients', 'sink', 'client-ca', 'recipients', 'migration-report.txt'] as const

/** A relay asks for help by these names too: a first try on the same machine should just work. */
const NAMES_OF_THIS_MACHINE = ['localhost', '127.0.0.1', '::1']

async function fill(
  directory: string,
  plan: InitialPlan,
  config: string,
  meanwhile: (authority: AuthorityProcess) => Promise<void>,
): Promise<Made> {
  const { hostname, keyType, caName, passphraseFile } = plan
  const passphrase = readPassphrase(directory, passphraseFile)
  if (!passphrase.ok) throw new Problem(passphrase.problem)
  for (const folder of ['tls', 'spool']) mkdirSync(path.join(directory, folder), { mode: 0o700 })
  const organisation = plan.organisation ?? plan.domains[0] ?? hostname
  const created = await createAuthorityOnce(directory, { hostname, organisation, caName, keyType }, passphrase.value)
  if (!created.ok) throw new Problem(created.problem)

  const started = await startAuthority(directory, passphrase.value)
  if (!started.ok) throw new Problem(started.problem)
  const { authority } = started
  try {
    const serverNames = [...new Set([hostname, ...NAMES_OF_THIS_MACHINE])]
    const { authority: facts } = await askStarted(authority, { do: 'show' }, 'shown')
    const server = await askStarted(authority, { do: 'issueServer', names: serverNames, keyType, days: SERVER_DAYS }, 'issuedServer')
    await writePair(path.join(directory, 'tls', 'server'), server.certificatePem, server.keyPem)
    const { issued } = await askStarted(authority, ourClientCertificate(plan), 'issuedClient')
    await writeIssued(path.join(directory, 'tls', 'client'), issued)
    await meanwhile(authority)
    for (const { name, content } of plan.brought?.further ?? []) {
      mkdirSync(path.dirname(path.join(directory, name)), { recursive: true, mode: 0o700 })
      await writeWholeFile(path.join(directory, name), content, 0o600)
    }
    const access = plan.brought?.access ?? renderInitialAccess
    await writeWholeFile(path.join(directory, 'access'), access(facts.issuingSubject), 0o600)
    await writeWholeFile(configFile(directory), config, 0o600)
    giveToOwnerOf(directory, OUR_NAMES.map(name => path.join(directory, name)).filter(file => existsSync(file)))
    return { issuingSubject: facts.issuingSubject, serverNames }
  } finally {
    authority.stop()
  }
}

/** The certificate that we show to next hops: of our own name, and for a client only. */
export function ourClientCertificate({ hostname, keyType }: Pick<InitialPlan, 'hostname' | 'keyType'>): AuthorityRequest {
  return {
    do: 'issueClient',
    name: hostname.slice(0, 64),
    kind: 'machine',
    addresses: [],
    dnsNames: [hostname],
    senders: [],
    keyType,
    days: SERVER_DAYS, // so that it is renewed together with the server's
    format: 'pem',
  }
}

/** NAME.pem and NAME.key of a certificate that was asked for as PEM. */
export async function writeIssued(base: string, issued: IssuedClient): Promise<void> {
  if (issued.format !== 'pem') throw new Problem('the authority sent a PKCS#12 file where PEM was asked for')
  await writePair(base, issued.certificatePem, issued.keyPem)
}

async function writePair(base: string, certificatePem: string, keyPem: string): Promise<void> {
  await writeWholeFile(`${base}.key`, keyPem, 0o400)
  await writeWholeFile(`${base}.pem`, certificatePem, 0o644)
}

/** The option that a setting's value came from. */
function optionOf(key: string): string {
  const [table = '', name] = key.split('.')
  if (table === 'relay') return '--domain'
  return `--${name ?? table}`
}

function refuseOccupied(directory: string): void {
  if (!existsSync(directory)) return
  const taken = readdirSync(directory).find(name => OUR_NAMES.some(ours => ours === name))
  if (taken === undefined) return
  throw new Problem(`${path.join(directory, taken)} exists already, and init overwrites nothing; choose another folder with --dir, or move this one away`)
}
