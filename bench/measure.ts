/**
 * What a server costs, read from /proc: processor time and memory of a whole process tree.
 *
 * The same method for every server, whether it is one process or a hundred. Processor time is the sum
 * over the tree of a process's own time and of the children that it has waited for; a process that
 * ends in the tree thus moves from its own line to its parent's, and nothing is lost, as long as
 * parents in the tree wait for their children, which Postfix's master and Postern's supervisor do.
 * Memory is PSS: a page that n processes share counts as one nth in each.
 */

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

export type Memory = { readonly pssKibibytes: number; readonly processes: number }

export function cpuSecondsOfTree(rootPid: number): number {
  // Read until two readings agree on who is in the tree: a process that ends between the reading of
  // its parent's line and its own would be missed.
  for (let before = readTree(rootPid); ; ) {
    const after = readTree(rootPid)
    if (sameProcesses(before, after)) return sum(after.map(entry => entry.ticks)) / ticksPerSecond()
    before = after
  }
}

/** Waits until the tree does next to nothing, so that work left after the last message is counted too. */
export async function cpuSecondsWhenQuiet(rootPid: number): Promise<number> {
  let last = cpuSecondsOfTree(rootPid)
  for (let waited = 0; waited < LONGEST_WAIT_MILLISECONDS; waited += QUIET_MILLISECONDS) {
    await sleep(QUIET_MILLISECONDS)
    const now = cpuSecondsOfTree(rootPid)
    if (now - last <= QUIET_SECONDS) return now
    last = now
  }
  return last
}

const QUIET_MILLISECONDS = 400
const QUIET_SECONDS = 0.03
const LONGEST_WAIT_MILLISECONDS = 10_000

export function memoryOfTree(rootPid: number): Memory {
  const tree = readTree(rootPid)
  const pss = tree.map(entry => Number(/^Pss:\s+(\d+)/m.exec(readProc(`${entry.pid}/smaps_rollup`))?.[1] ?? 0))
  return { pssKibibytes: sum(pss), processes: tree.length }
}

/** Takes the tree's memory once a second until stopped, and answers with the largest. */
export function watchPeakMemory(rootPid: number): { readonly stop: () => number } {
  let peak = 0
  const look = (): void => {
    peak = Math.max(peak, memoryOfTree(rootPid).pssKibibytes)
  }
  const timer = setInterval(look, 1000)
  return {
    stop: () => {
      clearInterval(timer)
      look()
      return peak
    },
  }
}

/** Seconds that all processors of the machine together have been busy, and seconds there were. */
export function machineSeconds(): { readonly busy: number; readonly all: number } {
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0, steal = 0] = readProc('stat')
    .split('\n', 1)[0]!
    .split(/\s+/)
    .slice(1)
    .map(Number)
  const busy = user + nice + system + irq + softirq + steal
  return { busy: busy / ticksPerSecond(), all: (busy + idle + wait) / ticksPerSecond() }
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds))
}

type TreeEntry = { readonly pid: number; readonly parent: number; readonly ticks: number }

function readTree(rootPid: number): readonly TreeEntry[] {
  const children = new Map<number, TreeEntry[]>()
  const tree: TreeEntry[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const entry = parseStat(readProc(`${name}/stat`))
    if (entry === null) continue
    if (entry.pid === rootPid) tree.push(entry)
    const siblings = children.get(entry.parent)
    if (siblings === undefined) children.set(entry.parent, [entry])
    else siblings.push(entry)
  }
  for (const entry of tree) tree.push(...(children.get(entry.pid) ?? [])) // grows while it is walked
  return tree
}

/** `pid (name) state ppid …`; the name may hold spaces and parentheses. Fields as in proc_pid_stat(5). */
function parseStat(text: string): TreeEntry | null {
  const nameEnd = text.lastIndexOf(')')
  if (nameEnd < 0) return null
  const fields = text.slice(nameEnd + 2).split(' ')
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15).map(Number)
  return { pid: Number.parseInt(text, 10), parent: Number(fields[1]), ticks: utime + stime + cutime + cstime }
}

function sameProcesses(a: readonly TreeEntry[], b: readonly TreeEntry[]): boolean {
  const pids = new Set(a.map(entry => entry.pid))
  return a.length === b.length && b.every(entry => pids.has(entry.pid))
}

/** Empty if the process has ended meanwhile. */
function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'latin1')
  } catch {
    return ''
  }
}

let ticks = 0
function ticksPerSecond(): number {
  if (ticks === 0) ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  return ticks
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
