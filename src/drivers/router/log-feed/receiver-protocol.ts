// What the receiver's thread and the controller say to each other.

export interface ReceiverOrder {
  readonly transport: 'udp' | 'tcp';
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** From the thread. */
export type ReceiverReport =
  | { readonly kind: 'listening'; readonly port: number; /** As the system granted it. */ readonly bufferBytes: number }
  | { readonly kind: 'failed'; /** Such as EADDRINUSE. */ readonly code: string; readonly message: string }
  | {
      readonly kind: 'lines';
      /** Joined by line ends; empty when only a loss is told. */
      readonly text: string;
      /** Since the last report: by the kernel, for want of room in the socket, and by the thread, because nobody took them. */
      readonly lost: number;
    }
  /** All that had come to the socket when it was asked for was handed over. */
  | { readonly kind: 'caught-up' };

/** To the thread: the last lines were taken; say when it has caught up; end. */
export type ReceiverCommand = 'taken' | 'catch-up' | 'end';
