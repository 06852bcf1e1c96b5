/** The one table: events, requests, responses, listeners. Keys and indexes are those of `shared/keys.ts`. */
import { RemovalPolicy } from "aws-cdk-lib";
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from "aws-cdk-lib/aws-dynamodb";
import { Construct } from "constructs";
import { TABLE } from "../shared/keys.ts";

export interface EventTableProps {
  /** `RETAIN` also protects the table against deletion by hand. */
  readonly removal: RemovalPolicy;
}

export class EventTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, props: EventTableProps) {
    super(scope, id);
    this.table = new Table(this, "Table", {
      partitionKey: { name: TABLE.partitionKey, type: AttributeType.STRING },
      sortKey: { name: TABLE.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: TABLE.ttlAttribute,
      billingMode: BillingMode.PAY_PER_REQUEST,
      // Encrypted with the key DynamoDB owns: no request to KMS that could be throttled, denied or billed.
      encryption: TableEncryption.DEFAULT,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: props.removal,
      deletionProtection: props.removal === RemovalPolicy.RETAIN,
    });
    for (const [indexName, { partitionKey, sortKey }] of Object.entries(TABLE.indexes))
      this.table.addGlobalSecondaryIndex({
        indexName,
        partitionKey: { name: partitionKey, type: AttributeType.STRING },
        sortKey: { name: sortKey, type: AttributeType.STRING },
        ...(indexName === "work"
          ? { projectionType: ProjectionType.KEYS_ONLY }
          : { projectionType: ProjectionType.INCLUDE, nonKeyAttributes: [...TABLE.historyProjection] }),
      });
  }
}
