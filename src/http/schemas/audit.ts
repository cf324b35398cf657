import { z } from 'zod';
import { REASONS, SCOPES } from '../../core/reasons.ts';
import type { Receipt } from '../../core/verdict.ts';
import { type AuditEvent, OPERATOR_ACTIONS, type OperatorAction } from '../../telemetry/events.ts';
import { nextCursor } from '../cursor.ts';
import { amount, wallTime } from './common.ts';
import { ACTION_EXAMPLE, RECEIPT_EXAMPLE } from './examples.ts';

export const RECEIPT_ACTIONS = ['refuse', 'throttle', 'drop', 'cut', 'observe'] as const;

export const receipt = z
  .object({
    id: z.string().regex(/^r-[0-9a-z]+$/),
    at: wallTime,
    count: z.number().int().positive(),
    last_at: wallTime,
    action: z.enum(RECEIPT_ACTIONS),
    reason: z.enum(REASONS),
    scope: z.enum(SCOPES),
    key: z.string(),
    limit: amount.nullable(),
    observed: amount.nullable(),
    window: amount.nullable(),
    retry_after_ms: amount.nullable().meta({ description: 'null means never' }),
    ip: z.string(),
    protocol: z.string(),
    path: z.string().nullable(),
    client: z.string().nullable(),
    stream: z.string().nullable(),
    detail: z.string(),
  })
  .meta({ id: 'Receipt', examples: [RECEIPT_EXAMPLE] }) satisfies z.ZodType<Receipt>;

export const receiptList = z.object({ receipts: z.array(receipt), next_cursor: nextCursor });

export const operatorAction = z
  .object({
    id: z.string().regex(/^a-[0-9a-z]+$/),
    at: wallTime,
    action: z.enum(OPERATOR_ACTIONS),
    by: z.string(),
    target: z.string().nullable(),
    result: z.enum(['ok', 'failed']),
    detail: z.string(),
  })
  .meta({ id: 'OperatorAction', examples: [ACTION_EXAMPLE] }) satisfies z.ZodType<OperatorAction>;

const auditEvent = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('receipt'), receipt }),
  z.object({ kind: z.literal('audit'), action: operatorAction }),
]) satisfies z.ZodType<AuditEvent>;

export const auditList = z.object({ events: z.array(auditEvent), next_cursor: nextCursor });
