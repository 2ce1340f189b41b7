/** The memory that decoders write into: one piece for all, since each answer is used before the next is made. */

/** Room for what 64 KiB decode to, and for what a decoder held back before. */
export const scratch: Buffer = Buffer.alloc(72 * 1024);
