/**
 * The ledger of an account, as scripts that Redis runs as one step each. Time is Redis' own. Each may be sent twice, as a
 * client does after it was cut off: an intent belongs to an owner and a try, and only those two change it.
 *
 * Money is in billionths of a dollar, so that a cap holds to less than a micro-dollar. Keys, all behind `cje:{ACCOUNT}:`:
 *
 *     books               spent, reserved, unknown, calls, unknowns
 *     build:ID            the same of one build
 *     int:CALL            owner, try, until, turn, reserve, build, model: a try that may be under way
 *     ans:XXXX            rest of the call key → digest of the answer that a till has
 *     lapse               calls by the time at which their intents lapse
 *     again               how often each call was left unknown by a till that died
 *     unknowns            call/owner/try → reserve, model and time
 *     bucket:MODEL        next: the next turn; t, tok: tokens that may be sent now
 *     held                call → its answer, until it is in the shared cache: for a till elsewhere
 *     held-bytes          how large these are together
 *     missing             call → digest of an answer that no till has found
 *     till                the till that is open, until its lease is over
 */

import { TURNS } from './send-pace.ts';

/** Books a try's reservation as unknown: it may have been billed. */
const BOOK_UNKNOWN = `
local function book_unknown(prefix, call, now, died)
  local key = prefix .. 'int:' .. call
  local intent = redis.call('HMGET', key, 'owner', 'try', 'reserve', 'build', 'model')
  local reserve = intent[3]
  for _, book in ipairs({prefix .. 'books', prefix .. 'build:' .. intent[4]}) do
    redis.call('HINCRBY', book, 'reserved', 0 - tonumber(reserve))
    redis.call('HINCRBY', book, 'unknown', reserve)
    redis.call('HINCRBY', book, 'unknowns', 1)
  end
  redis.call('HSET', prefix .. 'unknowns', call .. '/' .. intent[1] .. '/' .. intent[2],
    cjson.encode({reserve = tonumber(reserve), model = intent[5], at = now, died = died}))
  if died then redis.call('HINCRBY', prefix .. 'again', call, 1) end
  redis.call('DEL', key)
  redis.call('ZREM', prefix .. 'lapse', call)
end
`;

const CLOCK = `
local time = redis.call('TIME')
local micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
local now = math.floor(micros / 1000)
`;

/** Microseconds ahead of time for which turns are given out; and for which those that nobody has asked for in time are kept. */
const AHEAD = 500_000;
const KEPT = 250_000;

/**
 * Asks to send one try, and is told in how many milliseconds it is its turn. ARGV: call, owner, try, build, model, lease
 * (ms), reserve, cap or -1, the build's cap or -1, its most calls or -1, requests a minute or 0, tokens a minute or 0,
 * tokens, how often a call may be bought again after a till died with it, the digest of the answer that is not wanted again
 * or nothing.
 */
export const CLAIM = `
${BOOK_UNKNOWN}
local prefix = KEYS[1]
local call, owner, try, build, model = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local lease, reserve, cap, build_cap = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local build_calls, rpm, tpm, tokens = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12]), tonumber(ARGV[13])
local most_again = tonumber(ARGV[14])
${CLOCK}
local have = redis.call('HGET', prefix .. 'ans:' .. string.sub(call, 1, 4), string.sub(call, 5))
if have and have ~= ARGV[15] then return {'have', have} end
local key = prefix .. 'int:' .. call
local intent = redis.call('HMGET', key, 'owner', 'try', 'until', 'turn')
if intent[1] then
  if intent[1] == owner and intent[2] == try then return {'go', math.max(0, tonumber(intent[4]) - now)} end
  local left = tonumber(intent[3]) - now
  if left > 0 then return {'flying', left} end
  book_unknown(prefix, call, now, true)
end
local again = tonumber(redis.call('HGET', prefix .. 'again', call) or '0')
if again > most_again then return {'unresolved', again} end
local function room(book, most)
  if most < 0 then return nil end
  local sums = redis.call('HMGET', book, 'spent', 'reserved', 'unknown')
  local spent = tonumber(sums[1] or '0') + tonumber(sums[3] or '0')
  local reserved = tonumber(sums[2] or '0')
  if spent + reserved + reserve <= most then return nil end
  if reserved > 0 and spent + reserve <= most then return {'full', 0} end
  return {'broke', spent}
end
local books, build_book = prefix .. 'books', prefix .. 'build:' .. build
local full = room(build_book, build_cap)
if full then return {full[1], 'build', full[2]} end
full = room(books, cap)
if full then return {full[1], 'account', full[2]} end
if build_calls >= 0 and tonumber(redis.call('HGET', build_book, 'calls') or '0') >= build_calls then
  return {'broke', 'calls', build_calls}
end
-- When the try may leave, in microseconds.
local turn = micros
if rpm > 0 or tpm > 0 then
  local bucket = prefix .. 'bucket:' .. model
  -- Paced below the limit, so that no second holds more than the limit has a second. Turns are given out ahead of time:
  -- one that is asked for late is not lost.
  local req_rate, tok_rate = ${TURNS} * rpm / 60000000, ${TURNS} * tpm / 60000000
  local tok_most = math.max(1, tpm / 60)
  local state = redis.call('HMGET', bucket, 't', 'next', 'tok')
  local past = math.max(0, micros - tonumber(state[1] or micros))
  local tok = math.min(tok_most, tonumber(state[3] or tok_most) + past * tok_rate)
  local wait = 0
  if rpm > 0 then
    turn = math.max(turn - ${KEPT}, tonumber(state[2] or turn))
    wait = math.max(0, turn - micros - ${AHEAD})
  end
  -- A request larger than the bucket waits until that is full, and leaves a debt.
  local wanted = math.min(tokens, tok_most)
  if tpm > 0 and tok < wanted then wait = math.max(wait, (wanted - tok) / tok_rate) end
  if wait > 0 then return {'wait', math.ceil(wait / 1000)} end
  redis.call('HSET', bucket, 't', string.format('%.0f', micros), 'tok', string.format('%.9f', tok - tokens))
  if rpm > 0 then redis.call('HSET', bucket, 'next', string.format('%.0f', turn + 1 / req_rate)) end
end
for _, book in ipairs({books, build_book}) do
  redis.call('HINCRBY', book, 'reserved', ARGV[7])
  redis.call('HINCRBY', book, 'calls', 1)
end
redis.call('EXPIRE', build_book, 2592000)
local turn_ms = math.floor(turn / 1000)
redis.call('HSET', key, 'owner', owner, 'try', try, 'until', now + lease, 'turn', turn_ms, 'reserve', ARGV[7],
  'build', build, 'model', model)
redis.call('ZADD', prefix .. 'lapse', now + lease, call)
return {'go', math.max(0, turn_ms - now)}
`;

/**
 * Books what a try came to. ARGV: call, owner, try, `billed`, `free`, `unsent` or `unknown`, cost, the answer's digest or
 * nothing, the answer if it is to be held or nothing, the most bytes that may be held.
 */
export const SETTLE = `
${BOOK_UNKNOWN}
local prefix = KEYS[1]
local call, owner, try, outcome, cost, digest = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local answer, most_held = ARGV[7], tonumber(ARGV[8])
${CLOCK}
local function hold()
  if answer == '' then return end
  local held, bytes = prefix .. 'held', prefix .. 'held-bytes'
  local more = #answer - redis.call('HSTRLEN', held, call)
  if tonumber(redis.call('GET', bytes) or '0') + more > most_held then return end
  redis.call('HSET', held, call, answer)
  redis.call('INCRBY', bytes, more)
end
local answers, rest = prefix .. 'ans:' .. string.sub(call, 1, 4), string.sub(call, 5)
local key = prefix .. 'int:' .. call
local intent = redis.call('HMGET', key, 'owner', 'try', 'reserve', 'build')
local ours = intent[1] == owner and intent[2] == try
if not ours then
  if digest ~= '' and redis.call('HSETNX', answers, rest, digest) == 1 then hold() end
  if digest ~= '' and redis.call('HGET', answers, rest) == digest then return 'booked' end
  return 'late'
end
if digest ~= '' then
  redis.call('HSET', answers, rest, digest)
  hold()
end
if outcome == 'unknown' then
  book_unknown(prefix, call, now, false)
  return 'booked'
end
for _, book in ipairs({prefix .. 'books', prefix .. 'build:' .. intent[4]}) do
  redis.call('HINCRBY', book, 'reserved', 0 - tonumber(intent[3]))
  if outcome == 'billed' then redis.call('HINCRBY', book, 'spent', cost) end
  if outcome == 'unsent' then redis.call('HINCRBY', book, 'calls', -1) end
end
redis.call('DEL', key)
redis.call('ZREM', prefix .. 'lapse', call)
return 'booked'
`;

/** Books as unknown whatever a dead till has left. Any till may do it, and two of them book once. */
export const LAPSE = `
${BOOK_UNKNOWN}
local prefix = KEYS[1]
${CLOCK}
local due = redis.call('ZRANGEBYSCORE', prefix .. 'lapse', '-inf', now, 'LIMIT', 0, 200)
for _, call in ipairs(due) do
  if redis.call('EXISTS', prefix .. 'int:' .. call) == 1 then
    book_unknown(prefix, call, now, true)
  else
    redis.call('ZREM', prefix .. 'lapse', call)
  end
end
return #due
`;

/** Makes a till the open one, unless another is. Leaves its id in `other`. */
const TAKE_PLACE = `
local place = KEYS[1] .. 'till'
local other = redis.call('GET', place)
if other == owner then other = false end
if not other then redis.call('SET', place, owner, 'PX', lease) end
`;

/**
 * Says that a till lives, and that its tries are still under way. ARGV: till, lease (ms), calls… Returns whether it is the
 * open one still, and how many of the tries are its own.
 */
export const BEAT = `
local prefix = KEYS[1]
local owner, lease = ARGV[1], tonumber(ARGV[2])
${CLOCK}
${TAKE_PLACE}
local held = 0
for index = 3, #ARGV do
  local key = prefix .. 'int:' .. ARGV[index]
  if redis.call('HGET', key, 'owner') == owner then
    redis.call('HSET', key, 'until', now + lease)
    redis.call('ZADD', prefix .. 'lapse', now + lease, ARGV[index])
    held = held + 1
  end
end
return {other and 0 or 1, held}
`;

/**
 * Lets one till be open at a time: another could not give what this one has bought. ARGV: till, lease (ms). Returns who is
 * open, unless that one has said nothing for longer than a lease.
 */
export const OPEN_TILL = `
local owner, lease = ARGV[1], tonumber(ARGV[2])
${TAKE_PLACE}
return other
`;

/** The place is free again, where it was this till's. ARGV: till */
export const CLOSE_TILL = `
local place = KEYS[1] .. 'till'
if redis.call('GET', place) == ARGV[1] then return redis.call('DEL', place) end
return 0
`;

/** Opens the books of an account that has none, with what was spent before. ARGV: spent, unknown. */
export const OPEN_BOOKS = `
local books = KEYS[1] .. 'books'
if redis.call('EXISTS', books) == 1 then return 0 end
redis.call('HSET', books, 'spent', ARGV[1], 'reserved', 0, 'unknown', ARGV[2], 'calls', 0, 'unknowns', 0)
return 1
`;

/** Lets calls that were left unknown be bought again; their money stays booked. Returns how many there were. */
export const RESOLVE = `
local again = KEYS[1] .. 'again'
local calls = redis.call('HLEN', again)
redis.call('DEL', again)
return calls
`;

/** Holds answers no longer that are in the shared cache now. ARGV: call, digest, call, digest… */
export const RELEASE = `
local prefix = KEYS[1]
local held, bytes = prefix .. 'held', prefix .. 'held-bytes'
for index = 1, #ARGV, 2 do
  local call = ARGV[index]
  if redis.call('HGET', prefix .. 'ans:' .. string.sub(call, 1, 4), string.sub(call, 5)) == ARGV[index + 1] then
    redis.call('DECRBY', bytes, redis.call('HSTRLEN', held, call))
    redis.call('HDEL', held, call)
  end
end
return redis.call('HLEN', held)
`;

/** Gives up the answers that no till has found: their calls may be bought again. Returns how many there were. */
export const GIVE_UP = `
local prefix = KEYS[1]
local missing = redis.call('HGETALL', prefix .. 'missing')
local calls = 0
for index = 1, #missing, 2 do
  local call = missing[index]
  local answers, rest = prefix .. 'ans:' .. string.sub(call, 1, 4), string.sub(call, 5)
  if redis.call('HGET', answers, rest) == missing[index + 1] then
    redis.call('HDEL', answers, rest)
    calls = calls + 1
  end
end
if calls > 0 then redis.call('HINCRBY', prefix .. 'books', 'given-up', calls) end
redis.call('DEL', prefix .. 'missing')
return calls
`;
