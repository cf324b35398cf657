/** What a shell may offer. */
export interface Candidate {
  readonly value: string;
  readonly description?: string;
}
