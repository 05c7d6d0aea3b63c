/** A generated dashboard, in the types that Grafana publishes: every field known, every value allowed. */

import type * as grafana from "@grafana/schema/dist/esm/raw/dashboard/x/Dashboard_types.gen";
import type * as stat from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as table from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type * as timeseries from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

/** A type as JSON spells it: the values of an enumeration rather than its members. */
type Json<T> = unknown extends T
  ? T
  : T extends string
    ? `${T}`
    : T extends number
      ? `${T}` extends `${infer Value extends number}`
        ? Value
        : T
      : T extends readonly (infer Item)[]
        ? Json<Item>[]
        : T extends object
          ? { [Key in keyof T]: Json<T[Key]> }
          : T;

/** Grafana's packages type it in `@grafana/data` alone, which is all of its front end. */
interface Link {
  title: string;
  url: string;
  targetBlank?: boolean;
}

interface Reference {
  type: "prometheus";
  uid: string;
}

type Field<Custom> = Omit<grafana.FieldConfig, "custom" | "links"> & {
  custom: Custom;
  links?: Link[];
};

/** What an override may set: a field of its panel's type, with a value of that field. */
type Property<Custom> =
  | { [Key in keyof Omit<Field<Custom>, "custom">]-?: { id: Key; value: Field<Custom>[Key] } }[keyof Omit<
      Field<Custom>,
      "custom"
    >]
  | {
      [Key in keyof Custom & string]-?: { id: `custom.${Key}`; value: Custom[Key] };
    }[keyof Custom & string];

interface Query {
  refId: string;
  datasource: Reference;
  expr: string;
  legendFormat: string;
  format: "time_series" | "table";
  instant: boolean;
  range: boolean;
  exemplar: boolean;
  hide: boolean;
  interval: string;
  intervalFactor: number;
}

type Panel<Type extends string, Options, Custom> = Omit<
  grafana.Panel,
  "type" | "options" | "fieldConfig" | "targets" | "links"
> & {
  type: Type;
  options: Options;
  fieldConfig: {
    defaults: Field<Custom>;
    overrides: { matcher: { id: "byName" | "byFrameRefID"; options: string }; properties: Property<Custom>[] }[];
  };
  targets: Query[];
  links: Link[];
};

/** Grafana's model for Python lacks these, so we leave them to the defaults that Grafana has for them. */
type NewerOfStat = "percentChangeColorMode" | "showPercentChange" | "wideLayout";
type Defaulted<Options, Names extends keyof Options> = Omit<Options, Names> & Partial<Pick<Options, Names>>;

type Timeseries = Panel<"timeseries", timeseries.Options, timeseries.FieldConfig>;
type Stat = Panel<"stat", Defaulted<stat.Options, NewerOfStat>, Record<string, never>>;
type Table = Panel<"table", table.Options, table.FieldConfig>;

/** What the Prometheus data source reads of an annotation, beside what all of them do. */
type Annotation = grafana.AnnotationQuery & {
  expr: string;
  step: string;
  titleFormat: string;
  textFormat: string;
};

export type Board = Json<
  Omit<grafana.Dashboard, "panels" | "annotations"> & {
    panels: (Timeseries | Stat | Table | grafana.RowPanel)[];
    annotations: { list: Annotation[] };
  }
>;
