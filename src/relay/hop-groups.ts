/** Which recipients of a message go to which next hop, and which of them in one transaction. */

import type { AttemptProblem } from '../core/message/outcome.ts'
import { hopKey, nextHopOf, type NextHop } from '../core/message/route.ts'
import type { DeliverySettings } from './delivery-settings.ts'
import type { Lease } from './ports.ts'

export type HopGroups = {
  /** Each is one transaction. */
  readonly groups: readonly { readonly hop: NextHop; readonly indices: readonly number[] }[]
  /** Recipients without a next hop. */
  readonly lost: readonly { readonly index: number; readonly problem: AttemptProblem }[]
}

export function groupByHop({ message, due }: Lease, { routing, limits }: Pick<DeliverySettings, 'routing' | 'limits'>): HopGroups {
  const byHop = new Map<string, { readonly hop: NextHop; readonly indices: number[] }>()
  const lost: { readonly index: number; readonly problem: AttemptProblem }[] = []
  for (const index of due) {
    const hop = nextHopOf(message.recipients[index]?.address ?? '', routing, message.envelope.tls)
    if (!hop.ok) {
      lost.push({ index, problem: hop.problem })
      continue
    }
    const key = hopKey(hop.value)
    const group = byHop.get(key)
    if (group === undefined) byHop.set(key, { hop: hop.value, indices: [index] })
    else group.indices.push(index)
  }
  const most = limits.recipientsPerTransaction
  const groups: { readonly hop: NextHop; readonly indices: readonly number[] }[] = []
  for (const { hop, indices } of byHop.values())
    for (let at = 0; at < indices.length; at += most) groups.push({ hop, indices: indices.slice(at, at + most) })
  return { groups, lost }
}
