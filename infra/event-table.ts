/** The one table: events, requests, responses, listeners. Keys and indexes are those of `shared/keys.ts`. */
import { RemovalPolicy } from "aws-cdk-lib";
import {
  AttributeType,
  BillingMode,
  type ITable,
  ProjectionType,
  Table,
  TableEncryption,
} from "aws-cdk-lib/aws-dynamodb";
import { Construct, type IConstruct } from "constructs";
import { TABLE } from "../shared/keys.ts";

/** What others need of it, whether the stack made it or not. */
export type TableReference = IConstruct & Pick<ITable, "tableArn" | "tableName">;

export interface EventTableProps {
  /** `RETAIN` also protects the table against deletion by hand. */
  readonly removal: RemovalPolicy;
  /** A table that is there, as one restored from a backup; the stack then makes none. */
  readonly existing?: string;
}

export class EventTable extends Construct {
  readonly table: TableReference;

  constructor(scope: Construct, id: string, props: EventTableProps) {
    super(scope, id);
    this.table =
      props.existing === undefined
        ? this.addTable(props.removal)
        : Table.fromTableName(this, "Existing", props.existing);
  }

  private addTable(removal: RemovalPolicy): Table {
    const table = new Table(this, "Table", {
      partitionKey: { name: TABLE.partitionKey, type: AttributeType.STRING },
      sortKey: { name: TABLE.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: TABLE.ttlAttribute,
      billingMode: BillingMode.PAY_PER_REQUEST,
      // Encrypted with the key DynamoDB owns: no request to KMS that could be throttled, denied or billed.
      encryption: TableEncryption.DEFAULT,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: removal,
      deletionProtection: removal === RemovalPolicy.RETAIN,
    });
    for (const [indexName, { partitionKey, sortKey }] of Object.entries(TABLE.indexes))
      table.addGlobalSecondaryIndex({
        indexName,
        partitionKey: { name: partitionKey, type: AttributeType.STRING },
        sortKey: { name: sortKey, type: AttributeType.STRING },
        ...(indexName === "work"
          ? { projectionType: ProjectionType.KEYS_ONLY }
          : { projectionType: ProjectionType.INCLUDE, nonKeyAttributes: [...TABLE.historyProjection] }),
      });
    return table;
  }
}
