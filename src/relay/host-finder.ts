/**
 * From a next hop to the addresses worth trying, best first.
 *
 * Asks DNS; what its answers mean is decided in hosts.ts. Hosts that the configuration names are
 * taken at their word. Hosts that only DNS names must not lead back to this machine (S21).
 */

import { fail, ok, type Result } from '../core/result.ts'
import { isUnusableAddress, literalAddress, orderHosts } from '../core/message/hosts.ts'
import type { AttemptProblem, NoRoute } from '../core/message/outcome.ts'
import type { NextHop } from '../core/message/route.ts'
import type { DnsAnswer, Resolver, System } from './ports.ts'

export type Target = {
  /** As configured or as the MX record has it; what a certificate must be for. */
  readonly name: string
  readonly address: string
  readonly port: number
}

export type HostFinderContext = {
  readonly resolver: Resolver
  readonly system: System
  readonly ownNames: ReadonlySet<string>
}

/** RFC 5321 §5.1: at least two addresses should be tried. Nobody needs more of either than this. */
const MX_LIMIT = 5
const TARGET_LIMIT = 8

/** The targets, never empty; or why there are none. */
export async function findTargets(hop: NextHop, context: HostFinderContext): Promise<Result<readonly Target[], AttemptProblem>> {
  return hop.kind === 'host' ? configuredTargets(hop.host, hop.port, context) : exchangerTargets(hop.domain, hop.port, context)
}

async function configuredTargets(host: string, port: number, context: HostFinderContext): Promise<Result<readonly Target[], AttemptProblem>> {
  const literal = literalAddress(host) ?? (/^[0-9.]+$|:/.test(host) ? host : null)
  if (literal !== null) return ok([{ name: literal, address: literal, port }])
  const answer = await context.resolver.addresses(host)
  if (answer.kind === 'found') return ok(answer.values.slice(0, TARGET_LIMIT).map(address => ({ name: host, address, port })))
  // The configuration is wrong, or DNS is: the administrator's to mend, and not a reason to bounce.
  const cause = answer.kind === 'failed' ? 'dnsFailed' : 'noAddress'
  return fail({ kind: 'noRoute', cause, domain: host, detail: whyNoAddress(answer) })
}

async function exchangerTargets(domain: string, port: number, context: HostFinderContext): Promise<Result<readonly Target[], AttemptProblem>> {
  const noRoute = (cause: NoRoute, detail: string): Result<never, AttemptProblem> => fail({ kind: 'noRoute', cause, domain, detail })
  if (domain.startsWith('[')) return literalTarget(domain, port)

  const answer = await context.resolver.mx(domain)
  const randoms = answer.kind === 'found' ? answer.values.map(() => context.system.random()) : []
  const hosts = orderHosts(domain, answer, { ownNames: context.ownNames, randoms })
  if (!hosts.ok) return hosts

  const names = hosts.value.slice(0, MX_LIMIT)
  const answers = await Promise.all(names.map(name => context.resolver.addresses(name)))
  const found = answers.flatMap((answer, i) =>
    answer.kind === 'found' ? answer.values.map(address => ({ name: names[i] ?? '', address, port })) : [],
  )
  const usable = found.filter(target => !isUnusableAddress(target.address))
  if (usable.length > 0) return ok(usable.slice(0, TARGET_LIMIT))

  const failed = answers.find(answer => answer.kind === 'failed')
  if (failed !== undefined) return noRoute('dnsFailed', `its mail exchangers cannot be looked up now: ${whyNoAddress(failed)}`)
  if (found.length > 0) return noRoute('unusableAddress', 'its mail exchangers have no address that mail can be sent to')
  // RFC 5321 §5.1: without MX and address records the domain is no mail domain at all.
  if (answer.kind === 'noData') return noRoute('noSuchDomain', 'it has neither a mail exchanger nor an address')
  return noRoute('noAddress', 'none of its mail exchangers has an address')
}

/** RFC 5321 §4.1.3: `user@[192.0.2.7]` names the host itself. */
function literalTarget(domain: string, port: number): Result<readonly Target[], AttemptProblem> {
  const address = literalAddress(domain)
  if (address === null) return fail({ kind: 'noRoute', cause: 'badDomain', domain, detail: 'this is no address literal' })
  if (isUnusableAddress(address))
    return fail({ kind: 'noRoute', cause: 'unusableAddress', domain, detail: 'mail cannot be sent to this address' })
  return ok([{ name: address, address, port }])
}

function whyNoAddress(answer: DnsAnswer<string>): string {
  return answer.kind === 'failed' ? answer.detail : answer.kind === 'noName' ? 'there is no such host' : 'it has no address'
}
