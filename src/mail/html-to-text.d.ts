/** The part of html-to-text 10 that we use; the package brings no types. */
declare module "html-to-text" {
  export interface DomNode {
    readonly attribs?: { readonly alt?: string };
    readonly children?: readonly DomNode[];
  }
  export interface BlockTextBuilder {
    addInline(text: string): void;
  }
  export type FormatCallback = (
    elem: DomNode,
    walk: (nodes: readonly DomNode[] | undefined, builder: BlockTextBuilder) => void,
    builder: BlockTextBuilder,
    options: Readonly<Record<string, unknown>>,
  ) => void;
  export interface SelectorDefinition {
    readonly selector: string;
    readonly format?: string;
    readonly options?: Readonly<Record<string, unknown>>;
  }
  export interface HtmlToTextOptions {
    readonly wordwrap?: number | false;
    readonly formatters?: Readonly<Record<string, FormatCallback>>;
    readonly limits?: { readonly maxInputLength?: number; readonly maxDepth?: number; readonly ellipsis?: string };
    readonly selectors?: readonly SelectorDefinition[];
  }
  export function compile(options: HtmlToTextOptions): (html: string) => string;
}
