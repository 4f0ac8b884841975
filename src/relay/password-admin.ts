/**
 * Giving passwords to people and machines, listing them and taking them away.
 *
 * A password belongs to a holder of the authority's list and to one device of it, and counts only as
 * long as the holder does (tenure.ts). What is set is derived here once and never kept itself.
 */

import { deviceProblem, loginNames, passwordProblem } from '../core/accounts/password.ts'
import { formatPasswordFile } from '../core/accounts/password-file.ts'
import type { PasswordFile, PasswordRecord, SiteRecord } from '../core/accounts/password-file.ts'
import { heldSince } from '../core/accounts/tenure.ts'
import { parsePeer } from '../core/peers/peer-list.ts'
import { fail, ok, unreachable } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import type { Accounts } from './account-register.ts'
import type { HolderRecord, PasswordAnswer, PasswordRequest } from './admin.ts'
import { deriveScramKeys, hashPassword } from './password-keys.ts'
import type { PasswordCrypto } from './ports.ts'

export type PasswordPort = {
  readonly crypto: PasswordCrypto
  now(): number
  newId(): string
  /** One that can be typed on a printer and not be guessed. */
  newPassword(): string
  /** Null where there is no file yet. */
  read(): Result<PasswordFile | null, string>
  /** Replaces the file: a crash leaves the old one or the new one. */
  write(text: string): Promise<void>
}

type SetRequest = Extract<PasswordRequest, { do: 'set' }>

/** What the workers must know; null if nobody can log in so. With `byToken` everybody who has not been revoked can. */
export function accountsOf(file: PasswordFile | null, holders: readonly HolderRecord[], byToken: boolean): Accounts | null {
  if (file === null && !byToken) return null
  const counting = holders.flatMap(record => {
    const passwords = passwordsOf(file, record)
    const certificate = record.certificates.findLast(({ revokedAt }) => revokedAt === null)?.certificate
    if ((passwords.length === 0 && !byToken) || certificate === undefined) return []
    const { name, kind, senders } = record
    return [{ holder: { name, kind, senders }, certificate, passwords, tokenId: byToken ? tokenIdOf(record) : null }]
  })
  return { site: file?.site ?? null, holders: counting }
}

/** Another one after a revocation: what was done with a token before is then held, whoever has the name now. */
function tokenIdOf({ name, certificates }: HolderRecord): string {
  return `${TOKEN}${name.toLowerCase()} ${heldSince(certificates)}`
}

/** True of what stands for a holder's tokens, where a password has its id. */
export function isTokenId(passwordId: string): boolean {
  return passwordId.startsWith(TOKEN)
}

const TOKEN = 'token '


/** Does what is asked. The caller sees to it that only one such request is under way. */
export async function administerPasswords(
  port: PasswordPort,
  holders: readonly HolderRecord[],
  request: PasswordRequest,
): Promise<Result<PasswordAnswer, string>> {
  const holder = holders.find(({ name }) => name.toLowerCase() === request.name.toLowerCase())
  if (holder === undefined) return fail(`nobody is called ${request.name}; "postern user list" shows who is`)
  const file = port.read()
  if (!file.ok) return file
  switch (request.do) {
    case 'list':
      return ok(answer(holder, file.value, null))
    case 'set':
      return setPassword(port, holders, { holder, file: file.value, request })
    case 'remove': {
      const there = passwordsOf(file.value, holder).find(({ device }) => device === request.device)
      if (file.value === null || there === undefined) return fail(`${holder.name} has no password for ${request.device}; "postern user passwd ${holder.name} --list" shows those there are`)
      const { site, passwords } = file.value
      return ok(answer(holder, await write(port, holders, { site, passwords: passwords.filter(({ id }) => id !== there.id) }), null))
    }
    default:
      return unreachable(request)
  }
}

async function setPassword(
  port: PasswordPort,
  holders: readonly HolderRecord[],
  { holder, file, request }: { readonly holder: HolderRecord; readonly file: PasswordFile | null; readonly request: SetRequest },
): Promise<Result<PasswordAnswer, string>> {
  const { device, networks } = request
  const wrongNetwork = networks.map(parsePeer).find(parsed => !parsed.ok)
  if (wrongNetwork?.ok === false) return fail(wrongNetwork.problem)
  const password = request.password ?? port.newPassword()
  const problem = deviceProblem(device) ?? passwordProblem(password)
  if (problem !== null) return fail(problem)
  if (heldSince(holder.certificates) === null) {
    return fail(`${holder.name} has been revoked, and a password would count for nothing; issue a certificate first: postern user add ${holder.name}`)
  }
  const site = file?.site ?? newSite(port.crypto)
  const others = (file?.passwords ?? []).filter(other => !isFor(other, holder) || other.device !== device)
  if (others.filter(other => isFor(other, holder)).length >= MOST_PASSWORDS) {
    return fail(`${holder.name} has ${MOST_PASSWORDS} passwords already; take one away first: postern user passwd ${holder.name} --device DEVICE --remove`)
  }
  const record = await derive(port, site, { holder, request, password })
  const written = await write(port, holders, { site, passwords: [...others, record] })
  return ok(answer(holder, written, request.password === null ? password : null))
}

async function derive(
  port: PasswordPort,
  site: SiteRecord,
  { holder, request, password }: { readonly holder: HolderRecord; readonly request: SetRequest; readonly password: string },
): Promise<PasswordRecord> {
  const { crypto } = port
  const scram: PasswordRecord['scram'][number][] = []
  for (const hash of request.scram) {
    for (const login of loginNames(holder)) scram.push(await deriveScramKeys(crypto, site, { hash, login, password }))
  }
  return {
    record: 'password',
    id: port.newId(),
    holder: holder.name,
    device: request.device,
    createdAt: port.now(),
    networks: request.networks,
    argon2id: crypto.toBase64(await hashPassword(crypto, site, holder.name, password)),
    scram,
  }
}

/** What counts no more leaves the file with the next change of it. */
async function write(port: PasswordPort, holders: readonly HolderRecord[], { site, passwords }: PasswordFile): Promise<PasswordFile> {
  const counting = new Set(holders.flatMap(holder => passwordsOf({ site, passwords }, holder).map(({ id }) => id)))
  const file = { site, passwords: passwords.filter(({ id }) => counting.has(id)) }
  await port.write(formatPasswordFile(file))
  return file
}

function passwordsOf(file: PasswordFile | null, holder: HolderRecord): readonly PasswordRecord[] {
  const since = heldSince(holder.certificates)
  if (file === null || since === null) return []
  return file.passwords.filter(password => isFor(password, holder) && password.createdAt >= since)
}

function isFor(password: PasswordRecord, { name }: HolderRecord): boolean {
  return password.holder.toLowerCase() === name.toLowerCase()
}

function answer(holder: HolderRecord, file: PasswordFile | null, made: string | null): PasswordAnswer {
  const passwords = passwordsOf(file, holder).map(({ device, createdAt, networks }) => ({ device, createdAt, networks }))
  return { name: holder.name, logins: loginNames(holder), passwords, made }
}

/** RFC 9106 §4 and OWASP's least for argon2id: 19 MiB, two passes. RFC 7677 §4: more than 4096. */
function newSite(crypto: PasswordCrypto): SiteRecord {
  return {
    record: 'site',
    secret: crypto.toBase64(crypto.random(32)),
    argon2id: { memory: 19_456, passes: 2, parallelism: 1 },
    scramIterations: 16_384,
  }
}

const MOST_PASSWORDS = 50
