import { describe, expect, it } from "vitest";
import { TABLE } from "../../shared/keys.ts";
import { only, synthesize } from "./synthesize.ts";

interface TableProperties {
  readonly KeySchema: unknown;
  readonly AttributeDefinitions: { AttributeType: string }[];
  readonly GlobalSecondaryIndexes: { IndexName: string; KeySchema: unknown; Projection: object }[];
}

const table = only<TableProperties>(synthesize(), "AWS::DynamoDB::Table");
const keySchema = (partitionKey: string, sortKey: string) => [
  { AttributeName: partitionKey, KeyType: "HASH" },
  { AttributeName: sortKey, KeyType: "RANGE" },
];

describe("the table", () => {
  it("has the keys that the store writes, all of them text", () => {
    expect(table.Properties.KeySchema).toEqual(keySchema(TABLE.partitionKey, TABLE.sortKey));
    const types = table.Properties.AttributeDefinitions.map((one) => one.AttributeType);
    expect(new Set(types)).toEqual(new Set(["S"]));
  });

  it("has every index that the store reads, with no more copied into it than is needed", () => {
    const indexes = table.Properties.GlobalSecondaryIndexes;
    expect(indexes.map((index) => index.IndexName).sort()).toEqual(Object.keys(TABLE.indexes).sort());
    for (const { IndexName, KeySchema, Projection } of indexes) {
      const { partitionKey, sortKey } = TABLE.indexes[IndexName as keyof typeof TABLE.indexes];
      expect(KeySchema).toEqual(keySchema(partitionKey, sortKey));
      expect(Projection).toEqual(
        IndexName === "work"
          ? { ProjectionType: "KEYS_ONLY" }
          : { ProjectionType: "INCLUDE", NonKeyAttributes: [...TABLE.historyProjection] },
      );
    }
  });

  it("is paid by use, can be restored to any second, and forgets what has expired", () => {
    expect(table.Properties).toMatchObject({
      BillingMode: "PAY_PER_REQUEST",
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      TimeToLiveSpecification: { AttributeName: TABLE.ttlAttribute, Enabled: true },
    });
  });

  it("outlives the stack and cannot be deleted by accident", () => {
    expect(table.DeletionPolicy).toBe("Retain");
    expect(table.Properties).toMatchObject({ DeletionProtectionEnabled: true });
  });

  it("goes with the stack when the deployment is one to throw away", () => {
    const throwaway = only(synthesize({ context: { removal: "destroy" } }), "AWS::DynamoDB::Table");
    expect(throwaway.DeletionPolicy).toBe("Delete");
    expect(throwaway.Properties).not.toMatchObject({ DeletionProtectionEnabled: true });
  });

  it("can be one that is there, as after a restore: none is made, and every function works on that one", () => {
    const template = synthesize({ context: { tableName: "AgentEventBus-restored-1" } });
    template.resourceCountIs("AWS::DynamoDB::Table", 0);
    const functions = Object.values(template.findResources("AWS::Lambda::Function"));
    const names = functions.map(({ Properties }) => Properties.Environment.Variables.TABLE_NAME);
    expect(new Set(names)).toEqual(new Set(["AgentEventBus-restored-1"]));
    const policies = JSON.stringify(template.findResources("AWS::IAM::Policy"));
    expect(policies).toContain(":table/AgentEventBus-restored-1");
    expect(policies).toContain(":table/AgentEventBus-restored-1/index/work");
    expect(policies).not.toContain("EventsTable");
  });
});
