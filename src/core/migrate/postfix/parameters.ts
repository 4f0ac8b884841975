/**
 * The parameters that are settings of their own, and what is to be said of all the others.
 */

import { formatDuration, formatSize } from '../../time.ts'
import { sendmailTime } from '../sendmail/options.ts'
import type { Parameter } from './main-cf.ts'
import { TO_DO, UNNEEDED } from './parameter-advice.ts'
import type { PostfixSite } from './site.ts'

export function carryParameters(site: PostfixSite): void {
  const { main, draft, spokenOf } = site
  for (const parameter of main.overridden) draft.unneeded(parameter, 'set anew further down')
  for (const parameter of main.parameters) {
    const { name, value } = parameter
    const carry = CARRIED[name]
    if (value === '') draft.unneeded(parameter, 'empty')
    else if (spokenOf.has(name)) continue
    else if (carry !== undefined) carry(site, parameter)
    else if (isHelper(site, name)) draft.unneeded(parameter, 'a name for a value; it is in the lines that use it')
    else if (adviceFor(TO_DO, name) !== null) draft.todo(parameter, adviceFor(TO_DO, name) ?? '')
    else if (adviceFor(UNNEEDED, name) !== null) draft.unneeded(parameter, adviceFor(UNNEEDED, name) ?? '')
    else draft.todo(parameter, 'This has no equal that is known here: look up what it does, and whether docs/reference/settings.md has it')
  }
}

/** Parameters that belong to something that is not in use. */
export function reportUnused({ main, draft }: PostfixSite): void {
  const told = new Set(draft.items.filter(({ file }) => file === main.file).map(({ line }) => line))
  for (const parameter of main.parameters) {
    if (!told.has(parameter.line)) draft.unneeded(parameter, 'nothing that has been carried over makes use of it')
  }
}

type Carry = (site: PostfixSite, parameter: Parameter) => void

const CARRIED: { readonly [name: string]: Carry } = {
  message_size_limit: amount('limits.message-size', formatSize),
  header_size_limit: amount('limits.header-size', formatSize),
  smtpd_recipient_limit: amount('limits.recipients', count => count),
  smtpd_hard_error_limit: amount('limits.errors', count => count),
  smtpd_client_connection_count_limit: amount('limits.connections-per-address', count => count),
  smtpd_client_connection_rate_limit: amount('limits.address.connection-rate', rate),
  smtpd_client_message_rate_limit: amount('limits.address.message-rate', rate),
  smtpd_client_recipient_rate_limit: amount('limits.address.recipient-rate', rate),
  anvil_rate_time_unit: ({ draft }, parameter) => draft.carried(parameter, 'the time of the rates in [limits.address]'),
  hopcount_limit: amount('limits.received-fields', count => count),
  default_destination_concurrency_limit: amount('delivery.concurrency', count => count),
  smtp_destination_concurrency_limit: amount('delivery.concurrency', count => count),
  default_destination_recipient_limit: amount('delivery.recipients-per-message', count => count),
  smtp_destination_recipient_limit: amount('delivery.recipients-per-message', count => count),
  maximal_queue_lifetime: time('queue.lifetime', 'd'),
  delay_warning_time: time('queue.delay-warning', 'h'),
  smtp_connect_timeout: time('delivery.connect-timeout', 's'),
  smtp_helo_name: ({ draft }, parameter) => draft.set(parameter, 'delivery.helo', parameter.value),
  smtpd_tls_mandatory_protocols: protocols,
  smtpd_tls_protocols: protocols,
}

function amount(setting: string, form: (count: number, site: PostfixSite) => string | number): Carry {
  return (site, parameter) => {
    const { draft } = site
    const count = Number.parseInt(parameter.value, 10)
    if (count > 0) draft.set(parameter, setting, form(count, site))
    else draft.todo(parameter, `without a limit in Postfix; Postern limits everything: look at ${setting} in docs/reference/settings.md and raise it if the default is too low`)
  }
}

/** Postfix counts all of them over anvil_rate_time_unit, a minute unless somebody changes it. */
function rate(count: number, { main }: PostfixSite): string {
  const unit = main.get('anvil_rate_time_unit')
  const seconds = unit === null ? null : sendmailTime(unit.value, 's')
  return `${count}/${seconds === null || seconds === 0 ? '1m' : formatDuration(seconds)}`
}

function time(setting: string, unit: 'd' | 'h' | 's'): Carry {
  return ({ draft }, parameter) => {
    const seconds = sendmailTime(parameter.value, unit)
    if (seconds !== null && seconds > 0) draft.set(parameter, setting, formatDuration(seconds))
    else if (setting === 'queue.delay-warning') draft.set(parameter, setting, 'never')
    else draft.todo(parameter, `set ${setting} yourself`)
  }
}

function protocols({ draft }: PostfixSite, parameter: Parameter): void {
  const { value } = parameter
  if (/>=\s*TLSv1\.3|!TLSv1\.2\b/.test(value)) draft.set(parameter, 'tls.min-version', '1.3')
  else draft.unneeded(parameter, 'Postern speaks TLS 1.2 and 1.3 only')
}

/** A name that no Postfix knows, and that other values mention. */
function isHelper({ main }: PostfixSite, name: string): boolean {
  const reference = new RegExp(`\\$[{(]?${name.replaceAll(/\W/g, '\\$&')}\\b`)
  return adviceFor(TO_DO, name) === null && adviceFor(UNNEEDED, name) === null && main.parameters.some(({ raw }) => reference.test(raw))
}

function adviceFor(advice: readonly (readonly [RegExp, string])[], name: string): string | null {
  return advice.find(([pattern]) => pattern.test(name))?.[1] ?? null
}
